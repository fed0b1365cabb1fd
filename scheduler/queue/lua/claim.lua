-- ARGV: worker id, worker name, worker class, lease and wait in milliseconds.
-- Returns id, token, attempt, end of the lease, spec; or nothing, and then the worker is known to
-- wait.

local worker, name, class = ARGV[1], ARGV[2], ARGV[3]
local lease, wait = tonumber(ARGV[4]), tonumber(ARGV[5])

-- Returns the first entry that holds true. Those before it are thrown away.
local function head(candidate)
  local list = P .. 'ready:' .. candidate
  while true do
    local id = call('LINDEX', list, 0)
    if not id then
      call('ZREM', P .. 'classes', candidate)
      call('SREM', P .. 'named', candidate)
      return nil
    end
    local job = call('HMGET', P .. 'job:' .. id, 'state', 'class', 'queued')
    if job[1] == 'ready' and job[2] == candidate then
      return id
    end
    call('LPOP', list)
    if job[3] == candidate then
      call('HDEL', P .. 'job:' .. id, 'queued')
    end
  end
end

local function oldest()
  local classes = call('ZRANGEBYSCORE', P .. 'classes', '-inf', class)
  classes[#classes + 1] = name
  local best, best_class = nil, nil
  for _, candidate in ipairs(classes) do
    local id = head(candidate)
    if id and (not best or tonumber(id) < tonumber(best)) then
      best, best_class = id, candidate
    end
  end
  if best then
    call('LPOP', P .. 'ready:' .. best_class)
  end
  return best
end

call('DEL', P .. 'hint:' .. worker)
heard_of(worker, name, class)
local id = oldest()
if not id then
  if wait > 0 then
    wait_for_hint(worker, wait)
    call('ZADD', P .. 'idle', class, worker)
    call('SADD', P .. 'idle:' .. name, worker)
  else
    call('HDEL', P .. 'idle_until', worker)
  end
  return false
end
call('HDEL', P .. 'idle_until', worker)
local record = P .. 'job:' .. id
local attempt = call('HINCRBY', record, 'attempt', 1)
local token = take(record, id, worker, 'building', lease)
call('HSET', record, 'started', NOW, 'worker', worker)
call('HDEL', record, 'queued')
local job = describe(id)
call('HDEL', P .. 'pending', job.identity)
call('HSET', P .. 'active', job.identity, id)
job_event('claimed', id, job, {state = 'building', reason = job.caution})
return {id, token, attempt, NOW + lease, call('GET', P .. 'spec:' .. id)}
