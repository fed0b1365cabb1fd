-- ARGV: protocol, worker id, worker name, worker class, lease and wait in milliseconds.
-- Returns what claim() does.

return claim(ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))
