-- ARGV: job or removal, id, token, reason, and for a job that failed on the way the delays after
-- each loss. Returns the state of what was held, or nothing for a stale token.

local kind, id, token, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local delays = {unpack(ARGV, 5)}
local held = call('HMGET', P .. kind .. ':' .. id, 'state', 'token')
if not holds(held[1], held[2], token) then
  return false
elseif kind == 'removal' then
  return requeue_removal(id, 'returned', reason)
end
local job = describe(id)
if held[1] == 'publishing' then
  if #delays > 0 then
    return (requeue_landed_after_loss(id, job, 'returned', reason, delays))
  end
  return requeue_landed(id, job, 'returned', reason)
elseif #delays > 0 then
  return (requeue_after_loss(id, job, 'returned', reason, delays))
end
return requeue(id, job, 'returned', reason)
