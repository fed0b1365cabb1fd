-- Tells that the packages of jobs are staged for their groups. ARGV: id and token of each.
-- Returns for each the state that the job is in now, or nothing for a stale token. Said twice it is as
-- good as said once.

local function stage(id, token)
  local job = describe(id)
  if job.token == token and job.state == 'staged' then
    return 'staged'
  elseif job.state ~= 'publishing' or not holds(job.state, job.token, token) then
    return ''
  elseif job.cancel then
    return end_canceled(id, job, 'it was not staged')
  elseif not job.group or not is_in('unbuilt', job.group, id) then
    return requeue_landed(id, job, 'returned', 'it is published without its group')
  elseif call('HEXISTS', P .. 'pending', job.identity) == 1 then
    supersede(id, job)
    return 'done'
  end
  end_lease(id, job.owner)
  call('SREM', P .. 'publishing', id)
  call('HSET', P .. 'job:' .. id, 'state', 'staged')
  take_from('unbuilt', job.group, id)
  put_in('staged_in', job.group, id)
  job_event('staged', id, job, {state = 'staged'})
  let_members_go(id, job)
  review(job.group)
  return 'staged'
end

local result = {}
for i = 1, #ARGV, 2 do
  result[#result + 1] = stage(ARGV[i], ARGV[i + 1])
end
return result
