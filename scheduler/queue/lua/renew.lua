-- ARGV: lease in milliseconds; job or removal, id and token of each claim.
-- Returns the end of the lease; then of each claim -1 if it is lost, 1 if its holder is to stop,
-- else 0.

local until_ = NOW + tonumber(ARGV[1])
local result = {until_}
for i = 2, #ARGV, 3 do
  local id, answer = ARGV[i + 1], -1
  local held = call('HMGET', P .. ARGV[i] .. ':' .. id, 'state', 'token', 'cancel', 'owner')
  if holds(held[1], held[2], ARGV[i + 2]) then
    call('ZADD', P .. 'leases', until_, id)
    call('ZADD', P .. 'seen', NOW, held[4])
    answer = held[3] and 1 or 0
  end
  result[#result + 1] = answer
end
return result
