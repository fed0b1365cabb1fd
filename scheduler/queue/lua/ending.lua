-- The end of a job, and what it means to those who depend on it.

local RESULTS_KEPT = 1000
local OUTCOME = {SUCCESS = '0', FAILED = '3', TIMED_OUT = '4', CANCELED = '5',
  CANCELED_REQUEUE = '6', SOFTWARE_FAILURE = '7'}
local TROUBLE = {[OUTCOME.FAILED] = 'failed', [OUTCOME.TIMED_OUT] = 'timed out',
  [OUTCOME.CANCELED] = 'was canceled', [OUTCOME.SOFTWARE_FAILURE] = 'could not be built'}
local CAUTIONS_SHOWN = 5
local INFRASTRUCTURE = 'infrastructure'

-- Names the failed dependencies that `id` goes on without, or is held for.
local function caution_of(id)
  local failed, parts = call('HGETALL', P .. 'without:' .. id), {}
  for i = 1, #failed, 2 do
    parts[#parts + 1] = failed[i] .. ', which ' .. TROUBLE[string.match(failed[i + 1], '^%d+')]
  end
  table.sort(parts)
  local more = #parts - CAUTIONS_SHOWN
  if more > 0 then
    parts = {unpack(parts, 1, CAUTIONS_SHOWN)}
    parts[#parts + 1] = more .. ' more'
  end
  return #parts > 0 and 'it needs ' .. table.concat(parts, '; ') or nil
end

local function note_failed_deps(id)
  local record, caution = P .. 'job:' .. id, caution_of(id)
  call('HSET', record, 'lacks', #failed_deps(id))
  if caution then
    call('HSET', record, 'caution', caution)
  else
    call('HDEL', record, 'caution')
  end
  changed[id] = true
end

local function add_failed_dep(id, identity, outcome_and_names)
  call('HSET', P .. 'without:' .. id, identity, outcome_and_names)
  call('SADD', P .. 'lacking:' .. identity, id)
end

local function remove_failed_dep(id, identity)
  call('HDEL', P .. 'without:' .. id, identity)
  call('SREM', P .. 'lacking:' .. identity, id)
end

local function remove_failed_deps(id)
  for _, identity in ipairs(call('HKEYS', P .. 'without:' .. id)) do
    remove_failed_dep(id, identity)
  end
end

-- Returns those who depend on `names`, with the names each wants, but for those who go before `id`.
local function dependants(id, names)
  local wanted, ids = {}, {}
  for _, name in ipairs(names) do
    for _, other in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
      local skips = is_skipper(other) and call('SISMEMBER', P .. 'skip:' .. other, id) == 1
      if other ~= id and not skips then
        if not wanted[other] then
          wanted[other] = {}
          ids[#ids + 1] = other
        end
        table.insert(wanted[other], name)
      end
    end
  end
  table.sort(ids, by_turn)
  return ids, wanted
end

-- Where the next job of the identity waits already, to be held for it may close a cycle.
local function propagate_failure(id, identity, names, outcome)
  local ids, wanted = dependants(id, names)
  for _, other in ipairs(ids) do
    add_failed_dep(other, identity, outcome .. ' ' .. table.concat(wanted[other], ' '))
    note_failed_deps(other)
  end
  if #ids > 0 and call('HEXISTS', P .. 'pending', identity) == 1 then
    break_cycles(ids)
  end
end

local function leave_quarantine(id, identity)
  if call('ZREM', P .. 'quarantine', id) == 1 then
    call('HDEL', P .. 'quarantined', identity)
    call('HDEL', P .. 'job:' .. id, 'quarantined')
    if call('HEXISTS', P .. 'job:' .. id, 'group') == 0 then
      call('EXPIRE', P .. 'job:' .. id, DETAILS_KEPT)
    end
  end
end

local function propagate_success(identity)
  local waiting_on_failed = call('SMEMBERS', P .. 'lacking:' .. identity)
  table.sort(waiting_on_failed, by_turn)
  for _, other in ipairs(waiting_on_failed) do
    remove_failed_dep(other, identity)
    note_failed_deps(other)
  end
  local quarantined = call('HGET', P .. 'quarantined', identity)
  if quarantined then
    leave_quarantine(quarantined, identity)
  end
end

local function leave_place(id, job)
  if is_pending_state(job.state) then
    call('HDEL', P .. 'pending', job.identity)
    if job.place ~= 'ready' then
      call('ZREM', P .. job.place, id)
    end
    return
  end
  call('HDEL', P .. 'active', job.identity)
  if job.state == 'landed' then
    call('LREM', P .. 'landed', 1, id)
  else
    end_lease(id, job.owner)
    call('SREM', P .. 'publishing', id)
  end
  local successor = call('HGET', P .. 'pending', job.identity)
  if successor then
    adjust_need(successor, -1)
  end
end

-- Keeps what is told of a build besides: fields of the job, as a JSON object of texts.
local function take_notes(id, notes)
  if notes ~= '' then
    for field, text in pairs(cjson.decode(notes)) do
      call('HSET', P .. 'job:' .. id, field, text)
    end
  end
end

-- Ends `job`, which describe() told of, whatever its state. `failure` is the kind of failure where
-- it was one. The details are kept for a while, or for good.
local function end_job(id, job, outcome, reason, failure, for_good)
  local spec = spec_of(id)
  local names, own = names_of(spec)
  leave_place(id, job)
  for _, name in ipairs(wants_of(spec, own)) do
    call('SREM', P .. 'want:' .. name, id)
  end
  for _, name in ipairs(names) do
    stop_providing(id, name)
  end
  forget_skips(id)
  if job.caution then
    remove_failed_deps(id)
  end
  if job.rank then
    call('ZREM', P .. 'promoted', id)
  end
  local record = P .. 'job:' .. id
  call('HSET', record, 'state', 'done', 'outcome', outcome, 'reason', reason, 'finished', NOW,
    'failure', failure or '')
  local holds_group = job.group and end_membership(id, job, TROUBLE[outcome] ~= nil, reason)
  if not (for_good or holds_group) then
    call('EXPIRE', record, DETAILS_KEPT)
  end
  local last = call('HGET', P .. 'last', job.identity)
  if not last or by_turn(last, id) then
    call('HSET', P .. 'last', job.identity, id)
  end
  if call('LPUSH', P .. 'recent', id) > RESULTS_KEPT then
    call('LTRIM', P .. 'recent', 0, RESULTS_KEPT - 1)
  end
  job_event('done', id, job, {state = 'done', outcome = outcome, reason = reason,
    failure = failure})
  if TROUBLE[outcome] then
    propagate_failure(id, job.identity, names, outcome)
  elseif outcome ~= OUTCOME.CANCELED_REQUEUE then
    propagate_success(job.identity)
  end
end

-- Ends a job that was lost too often, and keeps it until somebody looks after it.
local function quarantine(id, job, reason)
  local former = call('HGET', P .. 'quarantined', job.identity)
  if former then
    leave_quarantine(former, job.identity)
  end
  call('ZADD', P .. 'quarantine', NOW, id)
  call('HSET', P .. 'quarantined', job.identity, id)
  call('HSET', P .. 'job:' .. id, 'quarantined', '1')
  end_job(id, job, OUTCOME.SOFTWARE_FAILURE, reason, INFRASTRUCTURE, true)
  job_event('quarantined', id, job, {state = 'done', outcome = OUTCOME.SOFTWARE_FAILURE,
    reason = reason, failure = INFRASTRUCTURE})
end
