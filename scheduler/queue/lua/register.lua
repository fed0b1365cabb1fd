-- ARGV: number of target repositories, these, source repositories.

local REGISTERED_KEPT = 30 * 24 * 3600 * 1000

local targets = tonumber(ARGV[1])
for i = 2, #ARGV do
  call('HSET', P .. (i <= targets + 1 and 'targets' or 'sources'), ARGV[i], NOW)
end
for _, registry in ipairs({'targets', 'sources'}) do
  local known = call('HGETALL', P .. registry)
  for i = 1, #known, 2 do
    if tonumber(known[i + 1]) < NOW - REGISTERED_KEPT then
      call('HDEL', P .. registry, known[i])
    end
  end
end
return 1
