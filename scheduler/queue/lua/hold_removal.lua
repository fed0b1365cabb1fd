-- ARGV: id, token, reason, the removal as it is to be carried out once it is confirmed, as JSON.
-- Returns 1, or 0 for a stale token.

local id, token, reason, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = P .. 'removal:' .. id
local state, held_token, scope, owner, asked = unpack(call('HMGET', record, 'state', 'token',
  'scope', 'owner', 'body'))
if state == 'held' and held_token == token then
  return 1
elseif not holds(state, held_token, token) then
  return 0
end
end_lease(id, owner)
call('LREM', P .. 'removals', 1, id)
local names_all = #cjson.decode(asked).keep > 0
if names_all then
  -- Of lists of those to keep, the newest counts.
  for _, other in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
    local its = call('HMGET', P .. 'removal:' .. other, 'scope', 'names_all')
    if its[1] == scope and its[2] == '1' then
      forget_held(other, 'a newer one took its place')
    end
  end
end
call('HSET', record, 'state', 'held', 'reason', reason, 'body', body, 'names_all',
  names_all and '1' or '0')
call('ZADD', P .. 'held_removals', NOW, id)
removal_event('removal', id, {state = 'waiting', reason = reason})
wake_runners()
return 1
