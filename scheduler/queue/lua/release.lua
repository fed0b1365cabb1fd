-- ARGV: job or removal, id, token, reason, and for a build that failed on the way the delays after
-- each loss. Returns the state of what was held, or nothing for a stale token.

local kind, id, token, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local delays, state = {unpack(ARGV, 5)}, nil
local held = call('HMGET', P .. kind .. ':' .. id, 'state', 'token')
if not holds(held[1], held[2], token) then
  return false
end
if kind == 'removal' then
  state = back_to_removals(id, 'returned', reason)
elseif held[1] == 'building' and #delays > 0 then
  state = back_after_loss(id, describe(id), 'returned', reason, delays)
elseif held[1] == 'building' then
  state = back_to_queue(id, describe(id), 'returned', reason)
else
  state = back_to_landed(id, describe(id), 'returned', reason)
end
settle()
return state
