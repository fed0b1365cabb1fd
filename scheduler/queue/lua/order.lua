-- Who waits for whom, and what happens when somebody need not wait any more.
--
-- A job's `need` counts the names it depends on that somebody pending or running provides, and
-- one more for a running job of its own identity. It is kept for running jobs too, so that one
-- that is handed back knows where it stands.

local changed = {} -- jobs whose `need` changed; settle() looks at them
-- Whether there are jobs that skip others at all. There hardly ever are.
local skipping = call('EXISTS', P .. 'skippers') == 1

local function is_skipper(id)
  return skipping and call('SISMEMBER', P .. 'skippers', id) == 1
end

local function skipped_by(id)
  return is_skipper(id) and set_of(call('SMEMBERS', P .. 'skip:' .. id)) or nil
end

local function scope_of(spec)
  return spec.target_repo .. '/' .. spec.arch
end

local function names_of(spec)
  local own, list = {}, {}
  for _, names in ipairs({{spec.pkgbase}, spec.pkgnames, spec.provides}) do
    for _, name in ipairs(names) do
      if not own[name] then
        own[name] = true
        list[#list + 1] = scope_of(spec) .. ':' .. name
      end
    end
  end
  return list, own
end

local function wants_of(spec)
  local _, own = names_of(spec)
  local seen, list = {}, {}
  for _, name in ipairs(spec.depends) do
    if not own[name] and not seen[name] then
      seen[name] = true
      list[#list + 1] = scope_of(spec) .. ':' .. name
    end
  end
  return list
end

local function spec_of(id)
  return cjson.decode(call('GET', P .. 'spec:' .. id))
end

local function blocks(name, skipped)
  if not skipped then
    return call('EXISTS', P .. 'prov:' .. name) == 1
  end
  for _, provider in ipairs(call('SMEMBERS', P .. 'prov:' .. name)) do
    if not skipped[provider] then
      return true
    end
  end
  return false
end

local function count_need(id, wants, identity)
  local skipped = skipped_by(id)
  local need = 0
  for _, name in ipairs(wants) do
    if blocks(name, skipped) then
      need = need + 1
    end
  end
  local running = call('HGET', P .. 'active', identity)
  if running and running ~= id then
    need = need + 1
  end
  return need
end

local function recount(id)
  local identity = call('HGET', P .. 'job:' .. id, 'identity')
  call('HSET', P .. 'job:' .. id, 'need', count_need(id, wants_of(spec_of(id)), identity))
  changed[id] = true
end

local function bump(id, by)
  call('HINCRBY', P .. 'job:' .. id, 'need', by)
  changed[id] = true
end

-- Tells those who want `name` that it has now a first provider, lost its last one, or (0) that
-- its providers changed in between, which matters to those who skip some of them.
local function name_changed(name, by)
  if by ~= 0 then
    for _, id in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
      if not is_skipper(id) then
        bump(id, by)
      end
    end
  end
  if skipping then
    for _, id in ipairs(call('SINTER', P .. 'want:' .. name, P .. 'skippers')) do
      recount(id)
    end
  end
end

local function stop_providing(id, name)
  if call('SREM', P .. 'prov:' .. name, id) == 1 then
    name_changed(name, call('EXISTS', P .. 'prov:' .. name) == 0 and -1 or 0)
  end
end

local function caution_dependants(name, text)
  for _, id in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
    call('HSET', P .. 'job:' .. id, 'caution', text)
  end
end

local function forget_skips(id)
  if is_skipper(id) then
    call('DEL', P .. 'skip:' .. id)
    call('SREM', P .. 'skippers', id)
  end
end

local function unindex(id, spec, trouble)
  for _, name in ipairs(wants_of(spec)) do
    call('SREM', P .. 'want:' .. name, id)
  end
  for _, name in ipairs(names_of(spec)) do
    if trouble then
      caution_dependants(name, trouble)
    end
    stop_providing(id, name)
  end
  forget_skips(id)
end

-- Returns the place of the first entry that comes after `turn` in the ready list `list`.
local function place_after(list, turn, length)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(call('LINDEX', list, middle)) > turn then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function merged(a, b)
  local result, i, j = {}, 1, 1
  while i <= #a or j <= #b do
    if j > #b or (i <= #a and tonumber(a[i]) <= tonumber(b[j])) then
      result[#result + 1] = a[i]
      i = i + 1
    else
      result[#result + 1] = b[j]
      j = j + 1
    end
  end
  return result
end

local function insert_each(list, ids, length)
  for added, id in ipairs(ids) do
    local place = place_after(list, tonumber(id), length + added - 1)
    local next_one = call('LINDEX', list, place)
    if next_one then
      call('LINSERT', list, 'BEFORE', next_one, id)
    else
      call('RPUSH', list, id)
    end
  end
end

local function merge_in(list, ids, length)
  local place = place_after(list, tonumber(ids[1]), length)
  local tail = call('LRANGE', list, place, -1)
  if place == 0 then
    call('DEL', list)
  else
    call('LTRIM', list, 0, place - 1)
  end
  call_in_chunks('RPUSH', list, merged(tail, ids))
end

-- Puts `ids`, which are in order, at their places in the ready list of `class`.
local function enlist(class, ids)
  local list = P .. 'ready:' .. class
  local length = call('LLEN', list)
  local last = length > 0 and tonumber(call('LINDEX', list, -1)) or 0
  if is_number(class) then
    call('ZADD', P .. 'classes', class, class)
  else
    call('SADD', P .. 'named', class)
  end
  if last <= tonumber(ids[1]) then
    call_in_chunks('RPUSH', list, ids)
  elseif #ids <= 16 then
    insert_each(list, ids, length)
  else
    merge_in(list, ids, length)
  end
end

local function wake_workers_for(class, count)
  for _ = 1, count do
    if not wake_worker_for(class) then
      return
    end
  end
end

local function by_turn(a, b)
  return tonumber(a) < tonumber(b)
end

-- Puts `by_class`, class -> ids in any order, into the ready lists, and wakes who waits for them.
local function offer(by_class)
  local classes = {}
  for class in pairs(by_class) do
    classes[#classes + 1] = class
  end
  table.sort(classes)
  for _, class in ipairs(classes) do
    table.sort(by_class[class], by_turn)
    enlist(class, by_class[class])
    wake_workers_for(class, #by_class[class])
  end
end

local function to_offer(by_class, id, class)
  by_class[class] = by_class[class] or {}
  table.insert(by_class[class], id)
end

-- Moves every job whose need changed between waiting and ready.
local function settle()
  local ids, by_class = {}, {}
  for id in pairs(changed) do
    ids[#ids + 1] = id
  end
  table.sort(ids, by_turn)
  for _, id in ipairs(ids) do
    local job = describe(id)
    local record = P .. 'job:' .. id
    local free = tonumber(job.need or 0) <= 0
    if job.state == 'waiting' and free then
      job.state = 'ready'
      call('HSET', record, 'state', 'ready')
      call('ZREM', P .. 'waiting', id)
      job_event('ready', id, job, {state = 'ready', reason = job.caution})
    elseif job.state == 'ready' and not free then
      job.state = 'waiting'
      call('HSET', record, 'state', 'waiting')
      call('ZADD', P .. 'waiting', id, id)
      job_event('blocked', id, job, {state = 'waiting'})
    end
    if job.state == 'ready' and job.queued ~= job.class then
      call('HSET', record, 'queued', job.class)
      to_offer(by_class, id, job.class)
    end
  end
  changed = {}
  offer(by_class)
end

local RESULTS_KEPT = 1000
local DETAILS_KEPT = 7 * 24 * 3600
local OUTCOME = {SUCCESS = '0', FAILED = '3', TIMED_OUT = '4', CANCELED = '5',
  CANCELED_REQUEUE = '6', SOFTWARE_FAILURE = '7'}
local TROUBLE = {[OUTCOME.FAILED] = 'failed', [OUTCOME.TIMED_OUT] = 'timed out',
  [OUTCOME.CANCELED] = 'was canceled', [OUTCOME.SOFTWARE_FAILURE] = 'could not be built'}

-- Ends the job, whatever its state. settle() has to follow.
local function retire(id, outcome, reason)
  local job = describe(id)
  local record = P .. 'job:' .. id
  if job.state == 'waiting' or job.state == 'ready' then
    call('HDEL', P .. 'pending', job.identity)
    call('ZREM', P .. 'waiting', id)
  else
    call('HDEL', P .. 'active', job.identity)
    call('SREM', P .. 'publishing', id)
    let_go(id, job.owner)
    if job.state == 'landed' then
      call('LREM', P .. 'landed', 1, id)
    end
    local successor = call('HGET', P .. 'pending', job.identity)
    if successor then
      bump(successor, -1)
    end
  end
  local trouble = TROUBLE[outcome]
  unindex(id, spec_of(id), trouble and ('it needs ' .. job.identity .. ', which ' .. trouble))
  call('HSET', record, 'state', 'done', 'outcome', outcome, 'reason', reason, 'finished', NOW)
  call('EXPIRE', record, DETAILS_KEPT)
  call('EXPIRE', P .. 'spec:' .. id, DETAILS_KEPT)
  call('LPUSH', P .. 'recent', id)
  call('LTRIM', P .. 'recent', 0, RESULTS_KEPT - 1)
  job_event('done', id, job, {state = 'done', outcome = outcome, reason = reason})
end
