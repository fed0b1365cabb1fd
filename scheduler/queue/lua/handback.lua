-- Putting back what somebody held.

-- Ends a job that its holder was asked to stop, instead of putting it back.
local function end_canceled(id, job, reason)
  end_job(id, job, OUTCOME.CANCELED, job.cancel .. '; ' .. reason)
  return 'done'
end

-- Returns the state the job is in now. Until `due` it is not handed out again.
local function requeue(id, job, kind, reason, due)
  local record = P .. 'job:' .. id
  if job.cancel then
    return end_canceled(id, job, reason)
  elseif call('HEXISTS', P .. 'pending', job.identity) == 1 then
    end_job(id, job, OUTCOME.CANCELED_REQUEUE, 'a newer request took its place; ' .. reason)
    return 'done'
  end
  end_lease(id, job.owner)
  call('HDEL', P .. 'active', job.identity)
  call('HSET', P .. 'pending', job.identity, id)
  call('HDEL', record, 'queued')
  job.place = nil -- where it was before it was claimed
  if due then
    job.due = string.format('%d', due)
    call('HSET', record, 'due', job.due)
  end
  move(id, job)
  changed[id] = true
  job_event(kind, id, job, {state = job.state, reason = reason})
  if job.place == 'waiting' or job.place == 'held' then
    break_cycles({id})
  end
  return job.state
end

-- Puts back a build that came to nothing through no fault of the package's. `delays` are in
-- milliseconds, one after each such loss; the last loss leads to quarantine instead.
-- Returns the state the job is in now, and why.
local function requeue_after_loss(id, job, kind, reason, delays)
  local lost = call('HINCRBY', P .. 'job:' .. id, 'lost', 1)
  if job.cancel or call('HEXISTS', P .. 'pending', job.identity) == 1 then
    return requeue(id, job, kind, reason), reason
  end
  if lost >= #delays then
    reason = 'not built in ' .. lost .. ' times that it was tried; at last: ' .. reason
    quarantine(id, job, reason)
    return 'done', reason
  end
  call('HSET', P .. 'job:' .. id, 'setback', reason)
  local delay = tonumber(delays[lost])
  reason = string.format('%s; loss %d of %d, not handed out for %.0f s', reason, lost, #delays,
    delay / 1000)
  return requeue(id, job, kind, reason, NOW + delay), reason
end

-- Puts a job back that was to be published with its group.
local function requeue_staged(id, job, kind, reason)
  take_from('publishing_in', job.group, id)
  put_in('staged_in', job.group, id)
  call('HSET', P .. 'job:' .. id, 'state', 'staged', 'reason', reason)
  job_event(kind, id, job, {state = 'staged', reason = reason})
  if call('HEXISTS', P .. 'pending', job.identity) == 1 then
    job.state = 'staged'
    supersede(id, job)
    return 'done'
  end
  review(job.group)
  return 'staged'
end

local function is_published_with_group(id, job)
  return job.group and is_in('publishing_in', job.group, id)
end

local function requeue_landed(id, job, kind, reason)
  if job.cancel then
    return end_canceled(id, job, reason)
  end
  end_lease(id, job.owner)
  call('SREM', P .. 'publishing', id)
  if is_published_with_group(id, job) then
    return requeue_staged(id, job, kind, reason)
  end
  call('HSET', P .. 'job:' .. id, 'state', 'landed', 'reason', reason)
  call('LPUSH', P .. 'landed', id)
  job_event(kind, id, job, {state = 'landed', reason = reason})
  wake_runners()
  return 'landed'
end

-- Counts the loss of a publication of a whole group, once for all its jobs. After the last of
-- `delays` nobody tries again until somebody asks for it.
local function count_group_loss(group, reason, delays)
  local record = P .. 'group:' .. group
  if call('HDEL', record, 'claimed') == 0 then
    return
  end
  local crashes = call('HINCRBY', record, 'crashes', 1)
  if crashes >= #delays then
    call('HSET', record, 'trouble', 'not published in ' .. crashes ..
      ' times that it was tried; at last: ' .. reason)
    group_event(group, call('HGET', record, 'trouble'))
  else
    call('HSET', record, 'publish_after', string.format('%d', NOW + tonumber(delays[crashes])))
  end
end

-- Puts back a delivery at which a runner ended, or failed in a way that nobody has foreseen. It is
-- published alone from now on, after those that wait for their first time. `delays` are as for
-- builds. Returns the state the job is in now, and why.
local function requeue_landed_after_loss(id, job, kind, reason, delays)
  if is_published_with_group(id, job) then
    count_group_loss(job.group, reason, delays)
    return requeue_landed(id, job, kind, reason), reason
  end
  local crashes = call('HINCRBY', P .. 'job:' .. id, 'crashes', 1)
  if crashes >= #delays and not job.cancel then
    reason = 'not published in ' .. crashes .. ' times that it was tried; at last: ' .. reason
    quarantine(id, job, reason)
    return 'done', reason
  end
  local state = requeue_landed(id, job, kind, reason)
  if state == 'landed' then
    call('LREM', P .. 'landed', 1, id)
    call('RPUSH', P .. 'landed', id)
    call('HSET', P .. 'job:' .. id, 'publish_after',
      string.format('%d', NOW + tonumber(delays[crashes])))
  end
  return state, reason
end

local function requeue_removal(id, kind, reason)
  end_lease(id, call('HGET', P .. 'removal:' .. id, 'owner'))
  call('HSET', P .. 'removal:' .. id, 'state', 'waiting')
  removal_event(kind, id, {state = 'waiting', reason = reason})
  wake_runners()
  return 'waiting'
end

-- Does the same where a runner ended at it; after the last of `delays` it is given up.
local function requeue_removal_after_loss(id, kind, reason, delays)
  local record = P .. 'removal:' .. id
  if call('HINCRBY', record, 'crashes', 1) < #delays then
    return requeue_removal(id, kind, reason)
  end
  end_lease(id, call('HGET', record, 'owner'))
  call('LREM', P .. 'removals', 1, id)
  call('HSET', record, 'state', 'done', 'outcome', OUTCOME.SOFTWARE_FAILURE, 'reason', reason)
  call('EXPIRE', record, DETAILS_KEPT)
  removal_event('removal', id, {state = 'done', outcome = OUTCOME.SOFTWARE_FAILURE, reason = reason})
  wake_runners()
  return 'done'
end
