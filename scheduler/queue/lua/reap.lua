-- ARGV: how many leases to look at, the delay in milliseconds after each loss of a job; the last
-- loss leads to quarantine instead. Returns id, identity, state and reason of each job or removal
-- that was taken back.

local SILENT_KEPT = 3600 * 1000

local limit, delays = tonumber(ARGV[1]), {unpack(ARGV, 2)}
local result = {}

local function returned(id, identity, state, reason)
  for _, value in ipairs({id, identity, state, reason}) do
    result[#result + 1] = value
  end
end

local function reap_job(id)
  local job = describe(id)
  local reason = (job.owner or 'its holder') .. ' was not heard of in time'
  if job.state == 'publishing' then
    local state, why = requeue_landed_after_loss(id, job, 'expired', reason, delays)
    returned(id, job.identity, state, why)
  else
    local state, why = requeue_after_loss(id, job, 'expired', reason, delays)
    returned(id, job.identity, state, why)
  end
end

local function reap_removal(id)
  local removal = call('HMGET', P .. 'removal:' .. id, 'scope', 'owner')
  local reason = removal[2] .. ' was not heard of in time'
  returned(id, removal[1], requeue_removal_after_loss(id, 'expired', reason, delays), reason)
end

for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '-inf', NOW, 'LIMIT', 0, limit)) do
  if call('EXISTS', P .. 'removal:' .. id) == 1 then
    reap_removal(id)
  else
    reap_job(id)
  end
end
release_delayed()
for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'seen', '-inf', NOW - SILENT_KEPT)) do
  forget_worker(worker)
end
return result
