-- Hands out the first ready job that the worker may build.
--
-- ARGV: protocol, worker id, worker name, worker class, lease and wait in milliseconds, and the
-- architectures that the worker builds, with blanks in between.
-- Returns 1 and the claim; or 0 and how long to wait, and then the worker is known to wait if the
-- wait is not 0; or 2 if the worker is to end.

local worker, name, class = ARGV[2], ARGV[3], ARGV[4]
local lease, wait, architectures = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local builds = {}
for arch in string.gmatch(architectures, '[^ ]+') do
  builds[#builds + 1] = arch
end

-- Returns the first entry of a ready list that holds true, and its id. Those before it are thrown
-- away.
local function first_entry(queued)
  local list = P .. queued
  while true do
    local entry = call('LINDEX', list, 0)
    if not entry then
      return nil
    end
    local id = string.match(entry, '%d+$')
    local job = call('HMGET', P .. 'job:' .. id, 'state', 'queued')
    if job[1] == 'ready' and job[2] == queued then
      return entry, id
    end
    call('LPOP', list)
    if job[2] == queued then
      call('HDEL', P .. 'job:' .. id, 'queued')
    end
  end
end

-- Returns the first job in the lists of `kind`, which is front or ready, of `lanes`.
local function first_of(kind, lanes)
  local best, best_turn, best_list = nil, nil, nil
  for _, lane in ipairs(lanes) do
    local list = kind .. ':' .. lane
    local entry, id = first_entry(list)
    if not entry then
      if call('EXISTS', P .. 'front:' .. lane, P .. 'ready:' .. lane) == 0 then
        call('ZREM', P .. 'classes', lane)
        call('SREM', P .. 'named', lane)
      end
    elseif not best or turn_of(entry) < best_turn then
      best, best_turn, best_list = id, turn_of(entry), list
    end
  end
  if best then
    call('LPOP', P .. best_list)
  end
  return best
end

-- Returns the lanes with ready jobs that the worker may build.
local function lanes()
  local found, may_build = {}, set_of(builds)
  for _, lane in ipairs(call('ZRANGEBYSCORE', P .. 'classes', '-inf', class)) do
    found[#found + 1] = may_build[parts_of(lane)] and lane or nil
  end
  for _, arch in ipairs(builds) do
    local lane = lane_of(arch, name)
    found[#found + 1] = call('SISMEMBER', P .. 'named', lane) == 1 and lane or nil
  end
  return found
end

local function first_ready()
  local found = lanes()
  local id = call('EXISTS', P .. 'promoted') == 1 and first_of('front', found)
  return id or first_of('ready', found)
end

-- Whether something is staged in the group that the job depends on.
local function needs_staged(id, group)
  for _, other in ipairs(group and skipping and call('SMEMBERS', P .. 'skip:' .. id) or {}) do
    if call('ZSCORE', P .. 'staged_in:' .. group, other) then
      return 1
    end
  end
  return 0
end

local function hand_out(id)
  local record, job, spec = P .. 'job:' .. id, describe(id, 'spec')
  local attempt = string.format('%d', (job.attempt or 0) + 1)
  local token = grant_lease(record, id, worker, 'building', lease, 'attempt', attempt,
    'started', NOW, 'worker', worker)
  call('HDEL', P .. 'pending', job.identity)
  call('HSET', P .. 'active', job.identity, id)
  job_event('claimed', id, job, {state = 'building', reason = job.caution, worker = worker,
    attempt = attempt, started = NOW})
  -- It waits for nobody any more, so nobody has a reason to go before it.
  stop_being_skipped(id)
  return {1, id, token, attempt, NOW + lease, spec, job.group or '',
    needs_staged(id, job.group)}
end

-- How long until the next delayed job is due, at most `wait`.
local function until_due()
  local next_one = call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')[2]
  return next_one and math.max(0, math.min(wait, tonumber(next_one) - NOW)) or wait
end

local paused, refusal = check_in(ARGV[1], worker, name, class, architectures)
if refusal then
  return refusal
end
if not paused then
  release_delayed()
  local id = first_ready()
  if id then
    call('HDEL', P .. 'idle_until', worker)
    return hand_out(id)
  end
  wait = wait > 0 and until_due() or 0
end
if wait > 0 then
  wait_for_hint(worker, wait)
  for _, arch in ipairs(builds) do
    call('ZADD', P .. idle_for(arch), class, worker)
    call('SADD', P .. 'idle:' .. lane_of(arch, name), worker)
  end
else
  call('HDEL', P .. 'idle_until', worker)
end
return {0, wait}
