-- KEYS: log. ARGV: data, largest size, seconds to keep it, what to say when it is full.
-- Returns 1, or 0 once the log is full.

local log, data, limit = KEYS[1], ARGV[1], tonumber(ARGV[2])
local size = redis.call('STRLEN', log)
if size >= limit then
  return 0
end
local full = size + #data >= limit
if full then
  data = string.sub(data, 1, limit - size) .. ARGV[4]
end
redis.call('APPEND', log, data)
redis.call('EXPIRE', log, ARGV[3])
return full and 0 or 1
