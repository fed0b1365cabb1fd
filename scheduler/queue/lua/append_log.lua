-- KEYS: log, what was dropped from its beginning. ARGV: data, largest size, seconds to keep it, what
-- to say when it is full. Returns 1, or 0 once the log is full.

local log, dropped, data, limit = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local size = redis.call('STRLEN', log) + tonumber(redis.call('GET', dropped) or 0)
if size >= limit then
  return 0
end
local full = size + #data >= limit
if full then
  data = string.sub(data, 1, limit - size) .. ARGV[4]
end
redis.call('APPEND', log, data)
redis.call('EXPIRE', log, ARGV[3])
redis.call('EXPIRE', dropped, ARGV[3])
return full and 0 or 1
