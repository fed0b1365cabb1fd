-- ARGV: id, token, reason, the removal as it is to be carried out once it is confirmed, as JSON.
-- Returns 1, or 0 for a stale token.

local id, token, reason, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = P .. 'removal:' .. id
local held = call('HMGET', record, 'state', 'token', 'scope', 'owner', 'attempt', 'request',
  'submitted', 'body')
if held[1] == 'held' and held[2] == token then
  return 1
end
if not holds(held[1], held[2], token) then
  return 0
end
let_go(id, held[4])
call('LREM', P .. 'removals', 1, id)
local names_all = #cjson.decode(held[8]).keep > 0
if names_all then
  -- Of lists of those to keep, the newest counts.
  for _, other in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
    local its = call('HMGET', P .. 'removal:' .. other, 'scope', 'names_all')
    if its[1] == held[3] and its[2] == '1' then
      forget_held(other, 'a newer one took its place')
    end
  end
end
call('HSET', record, 'state', 'held', 'reason', reason, 'body', body, 'names_all',
  names_all and '1' or '0')
call('ZADD', P .. 'held_removals', NOW, id)
event('removal', id, {identity = held[3], state = 'waiting', worker = held[4], attempt = held[5],
  request = held[6], submitted = held[7], reason = reason})
wake_runners()
return 1
