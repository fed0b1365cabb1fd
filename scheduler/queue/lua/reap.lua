-- ARGV: how often a job may be lost while it is built, how many leases to look at.
-- Returns id, identity, state and reason of each job or removal that was taken back.

local SILENT_KEPT = 3600 * 1000

local cap, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local result = {}

local function tell(id, identity, state, reason)
  for _, value in ipairs({id, identity, state, reason}) do
    result[#result + 1] = value
  end
end

local function reap_job(id)
  local job = describe(id)
  local reason = (job.owner or 'its holder') .. ' was not heard of in time'
  if job.state == 'publishing' then
    tell(id, job.identity, back_to_landed(id, job, 'expired', reason), reason)
    return
  end
  local strikes = call('HINCRBY', P .. 'job:' .. id, 'strikes', 1)
  if strikes >= cap and not job.cancel then
    reason = 'lost ' .. strikes .. ' times while it was built; at last ' .. reason
    retire(id, OUTCOME.SOFTWARE_FAILURE, reason)
    tell(id, job.identity, 'done', reason)
    return
  end
  tell(id, job.identity, back_to_queue(id, job, 'expired', reason), reason)
end

local function reap_removal(id)
  local removal = call('HMGET', P .. 'removal:' .. id, 'scope', 'owner')
  local reason = removal[2] .. ' was not heard of in time'
  tell(id, removal[1], back_to_removals(id, 'expired', reason), reason)
end

for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '-inf', NOW, 'LIMIT', 0, limit)) do
  if call('EXISTS', P .. 'removal:' .. id) == 1 then
    reap_removal(id)
  else
    reap_job(id)
  end
end
settle()
for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'seen', '-inf', NOW - SILENT_KEPT)) do
  call('ZREM', P .. 'seen', worker)
  call('HDEL', P .. 'workers', worker)
  call('HDEL', P .. 'idle_until', worker)
end
return result
