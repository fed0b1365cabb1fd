-- ARGV: id, token, delivery. Returns the state the job is in now; nothing for a stale token.
-- Said twice with the same words it is as good as said once: the first answer may have got lost.

local id, token, delivery = ARGV[1], ARGV[2], ARGV[3]
local job = describe(id)
if job.token ~= token then
  return false
end
if job.state == 'landed' and job.delivery == delivery then
  return 'landed'
end
if job.state == 'done' and job.outcome == OUTCOME.CANCELED then
  return 'done'
end
if job.state ~= 'building' then
  return false
end
if job.cancel then
  retire(id, OUTCOME.CANCELED, job.cancel)
  settle()
  return 'done'
end
let_go(id, job.owner)
call('HSET', P .. 'job:' .. id, 'state', 'landed', 'delivery', delivery, 'landed', NOW)
call('RPUSH', P .. 'landed', id)
job_event('landed', id, job, {state = 'landed'})
wake_runners()
return 'landed'
