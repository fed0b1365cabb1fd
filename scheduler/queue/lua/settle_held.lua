-- ARGV: protocol, scope, confirm or dismiss. Returns the ids of the removals that were held there.

local scope, wish = ARGV[2], ARGV[3]
local settled, open = {}, call('LRANGE', P .. 'removals', 0, -1)
for _, id in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
  local record = P .. 'removal:' .. id
  if call('HGET', record, 'scope') == scope then
    settled[#settled + 1] = id
    if wish == 'dismiss' then
      forget_held(id, 'dismissed on request')
    else
      call('ZREM', P .. 'held_removals', id)
      call('HSET', record, 'state', 'waiting')
      call('HDEL', record, 'reason')
      open[#open + 1] = id
      removal_event('removal', id, {state = 'waiting', reason = 'confirmed'})
    end
  end
end
if #settled > 0 and wish == 'confirm' then
  -- At its old turn: what was asked for since then is published after it.
  table.sort(open, function(a, b) return tonumber(a) < tonumber(b) end)
  call('DEL', P .. 'removals')
  call('RPUSH', P .. 'removals', unpack(open))
  wake_runners()
end
return settled
