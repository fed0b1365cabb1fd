-- ARGV: id, token, outcome, reason, failure, protocol, worker id, worker name, worker class, lease.
-- Returns -1 for a stale token, or what claim() does.

if not finish(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]) then
  return {-1}
end
return claim(ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10]), 0)
