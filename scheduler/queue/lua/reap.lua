-- ARGV: how many leases to look at, the delay in milliseconds after each loss of a build; the last
-- loss leads to quarantine instead. Returns id, identity, state and reason of each job or removal
-- that was taken back.

local SILENT_KEPT = 3600 * 1000

local limit, cap = tonumber(ARGV[1]), #ARGV - 1
local result = {}

local function tell(id, identity, state, reason)
  for _, value in ipairs({id, identity, state, reason}) do
    result[#result + 1] = value
  end
end

local function reap_build(id, job, reason)
  local lost = call('HINCRBY', P .. 'job:' .. id, 'lost', 1)
  local superseded = job.cancel or call('HEXISTS', P .. 'pending', job.identity) == 1
  if superseded then
    return back_to_queue(id, job, 'expired', reason), reason
  end
  if lost >= cap then
    reason = 'lost ' .. lost .. ' times while it was built; at last ' .. reason
    quarantine(id, job.identity, reason)
    return 'done', reason
  end
  local delay = tonumber(ARGV[1 + lost])
  reason = string.format('%s; loss %d of %d, not handed out for %.0f s', reason, lost, cap,
    delay / 1000)
  return back_to_queue(id, job, 'expired', reason, NOW + delay), reason
end

local function reap_job(id)
  local job = describe(id)
  local reason = (job.owner or 'its holder') .. ' was not heard of in time'
  if job.state == 'publishing' then
    tell(id, job.identity, back_to_landed(id, job, 'expired', reason), reason)
  else
    local state, why = reap_build(id, job, reason)
    tell(id, job.identity, state, why)
  end
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
release_delayed()
for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'seen', '-inf', NOW - SILENT_KEPT)) do
  forget_worker(worker)
end
return result
