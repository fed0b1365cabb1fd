-- ARGV: id, token, outcome, reason, failure. Returns 1, or 0 for a stale token.

return finish(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]) and 1 or 0
