-- Ending jobs from outside.

-- Ends a pending or landed job; asks the holder of another one to stop. False if that was done
-- already.
local function cancel_job(id, reason)
  local job = describe(id)
  if job.state ~= 'building' and job.state ~= 'publishing' then
    end_job(id, job, OUTCOME.CANCELED, reason)
    return true
  end
  if job.cancel then
    return false
  end
  call('HSET', P .. 'job:' .. id, 'cancel', reason)
  job_event('cancel', id, job, {state = job.state, reason = reason})
  return true
end

-- Cancels the jobs of `identity` and returns their ids.
local function cancel_jobs_of(identity, reason)
  local ids = {}
  for _, mapping in ipairs({'pending', 'active'}) do
    local id = call('HGET', P .. mapping, identity)
    if id then
      cancel_job(id, reason)
      ids[#ids + 1] = id
    end
  end
  return ids
end
