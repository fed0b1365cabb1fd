-- ARGV: id, token, outcome, reason. Returns 1, or 0 for a stale token.
-- Said twice with the same outcome it is as good as said once.

local id, token, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job = describe(id)
if job.token == token and job.state == 'done' and job.outcome == outcome then
  return 1
end
if not holds(job.state, job.token, token) then
  return 0
end
retire(id, outcome, reason)
settle()
if job.state == 'publishing' and call('EXISTS', P .. 'removals') == 1 then
  wake_runners()
end
return 1
