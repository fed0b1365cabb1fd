-- Drops what is in a log that has ended, because it is kept elsewhere.
-- KEYS: log, what was dropped from its beginning, its end. ARGV: the size it has in all if nothing
-- came to it since, seconds to remember that. Returns whether it was dropped.

local log, dropped, size = KEYS[1], KEYS[2], tonumber(ARGV[1])
local there = redis.call('STRLEN', log)
local before = tonumber(redis.call('GET', dropped) or 0)
if there == 0 or before + there ~= size or redis.call('EXISTS', KEYS[3]) == 0 then
  return 0
end
redis.call('UNLINK', log)
redis.call('SET', dropped, ARGV[1], 'EX', ARGV[2])
return 1
