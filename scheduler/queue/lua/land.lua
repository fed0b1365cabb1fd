-- ARGV: id, token, delivery, notes. Returns the state the job is in now; nothing for a stale token.
-- Said twice with the same words it is as good as said once: the first answer may have got lost.

local id, token, delivery = ARGV[1], ARGV[2], ARGV[3]
local job = describe(id)
if job.token ~= token then
  return false
elseif job.state == 'landed' and job.delivery == delivery then
  return 'landed'
elseif job.state == 'done' and job.outcome == OUTCOME.CANCELED then
  return 'done'
elseif job.state ~= 'building' then
  return false
end
take_notes(id, ARGV[4])
if job.cancel then
  end_job(id, job, OUTCOME.CANCELED, job.cancel)
  return 'done'
end
end_lease(id, job.owner)
call('HSET', P .. 'job:' .. id, 'state', 'landed', 'delivery', delivery, 'landed', NOW)
call('RPUSH', P .. 'landed', id)
job_event('landed', id, job, {state = 'landed'})
wake_runners()
return 'landed'
