-- Hands out all that is staged in the first group of which all is. ARGV: protocol, runner, lease in
-- milliseconds, target repositories (none: all). Returns the jobs, see `delivering`.

local runner, lease = ARGV[2], tonumber(ARGV[3])
local wanted = #ARGV > 3 and set_of({unpack(ARGV, 4)})

touch_worker(runner, runner, 0)
local group, result = first_complete(wanted), {}
if group then
  call('LREM', P .. 'complete', 0, group)
  call('HSET', P .. 'group:' .. group, 'claimed', '1')
  call('HDEL', P .. 'group:' .. group, 'publish_after')
  for _, id in ipairs(call('ZRANGE', P .. 'staged_in:' .. group, 0, -1)) do
    call('ZREM', P .. 'staged_in:' .. group, id)
    call('ZADD', P .. 'publishing_in:' .. group, id, id)
    result[#result + 1] = hand_out_delivery(id, runner, lease)
  end
end
return result
