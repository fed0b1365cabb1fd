-- ARGV: job or removal, id, token, lease in milliseconds.
-- Returns the end of the lease and whether the holder is to stop; nothing for a stale token.

local id, token, lease = ARGV[2], ARGV[3], tonumber(ARGV[4])
local held = call('HMGET', P .. ARGV[1] .. ':' .. id, 'state', 'token', 'cancel', 'owner')
if not holds(held[1], held[2], token) then
  return false
end
call('ZADD', P .. 'leases', NOW + lease, id)
call('ZADD', P .. 'seen', NOW, held[4])
return {NOW + lease, held[3] and 1 or 0}
