-- ARGV: job or removal, id, token, reason. Returns 1, or 0 for a stale token.

local kind, id, token, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = call('HMGET', P .. kind .. ':' .. id, 'state', 'token')
if not holds(held[1], held[2], token) then
  return 0
end
if kind == 'removal' then
  back_to_removals(id, 'returned', reason)
elseif held[1] == 'building' then
  back_to_queue(id, describe(id), 'returned', reason)
else
  back_to_landed(id, describe(id), 'returned', reason)
end
settle()
return 1
