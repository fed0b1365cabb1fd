-- ARGV: protocol, runner, lease and wait in milliseconds, limit, target repositories (none: all).
-- Returns 1 if there are removals to be claimed first, 2 if the runner is to end, else 0; then id,
-- token, attempt, end of the lease, delivery, spec and builder of each job.

local runner, lease = ARGV[2], tonumber(ARGV[3])
local wait, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local wanted = #ARGV > 5 and set_of({unpack(ARGV, 6)})

-- Returns the first open removal of each scope, and whether one of ours is to be carried out.
local function open_removals()
  local first, claimable = {}, false
  each_open_removal(wanted, function(id, scope, may_go)
    first[scope] = first[scope] or tonumber(id)
    claimable = claimable or may_go
  end)
  return first, claimable
end

local function publish(id)
  local record = P .. 'job:' .. id
  call('LREM', P .. 'landed', 1, id)
  call('SADD', P .. 'publishing', id)
  local token = grant_lease(record, id, runner, 'publishing', lease)
  local job, spec = describe(id, 'spec')
  job_event('publishing', id, job, {state = 'publishing'})
  local builder = call('HGET', record, 'worker')
  return {id, token, job.attempt, NOW + lease, job.delivery, spec, builder or ''}
end

local _, refusal = check_in(ARGV[1], runner, runner, 0)
if refusal then
  return refusal
end
local first_removals, removals = open_removals()
local result = {removals and 1 or 0}
for _, id in ipairs(call('LRANGE', P .. 'landed', 0, -1)) do
  local identity = call('HGET', P .. 'job:' .. id, 'identity')
  local scope, repository = string.match(identity, '^(([^/]+)/[^/]+)')
  local turn = first_removals[scope]
  if (not wanted or wanted[repository]) and (not turn or tonumber(id) < turn) then
    result[#result + 1] = publish(id)
  end
  if #result > limit then
    break
  end
end
if #result == 1 and not removals and wait > 0 then
  wait_for_hint(runner, wait)
  call('SADD', P .. 'idle_runners', runner)
end
return result
