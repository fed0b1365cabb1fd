-- Requests: which were taken already, and what they say besides jobs.

local REQUEST_KEPT = 90 * 24 * 3600 * 1000

-- Whether the request was taken before. One that is seen again is kept for longer.
local function was_taken(request)
  call('ZADD', P .. 'requests', 'XX', NOW, request)
  return call('ZSCORE', P .. 'requests', request)
end

local function remember_request(request)
  call('ZREMRANGEBYSCORE', P .. 'requests', '-inf', NOW - REQUEST_KEPT)
  call('ZADD', P .. 'requests', NOW, request)
end

-- Takes in the removals ARGV[first] to ARGV[last]. Returns their ids, and those of the jobs that
-- they canceled.
local function submit_removals(request, first, last)
  local removals, canceled = {}, {}
  for i = first, last do
    local removal, id = cjson.decode(ARGV[i]), next_id()
    local scope = scope_of(removal)
    call('HSET', P .. 'removal:' .. id, 'state', 'waiting', 'scope', scope, 'body', ARGV[i],
      'attempt', '0', 'submitted', NOW, 'request', request)
    call('RPUSH', P .. 'removals', id)
    removals[#removals + 1] = id
    removal_event('removal', id, {state = 'waiting'})
    -- What a list of those to keep leaves out is canceled when it is carried out: it may be refused.
    for _, base in ipairs(removal.remove) do
      local reason = 'request ' .. request .. ' removes the package'
      for _, canceled_id in ipairs(cancel_jobs_of(scope .. '/' .. base, reason)) do
        canceled[#canceled + 1] = canceled_id
      end
      forget_member(scope .. '/' .. base)
    end
  end
  if #removals > 0 then
    wake_runners()
  end
  return removals, canceled
end

-- Returns the repositories that somebody works for, or nothing if nobody ever said so.
local function registered(registry)
  local names = call('HKEYS', P .. registry)
  return #names > 0 and set_of(names) or nil
end

-- Returns a function that tells which repository of a job nobody works for: target, source or nil.
local function repository_check()
  local targets, sources = registered('targets'), registered('sources')
  return function(spec)
    if targets and not targets[spec.target_repo] then
      return 'target'
    elseif sources and not sources[spec.source_repo] then
      return 'source'
    end
  end
end

-- Asks the holders of running jobs that the items are newer than to stop. Returns their ids.
local function cancel_running(items, request)
  local canceled, active = {}, ids_in('active', items)
  for _, item in ipairs(items) do
    local running = active[item.identity]
    if running and cancel_job(running, 'request ' .. request .. ' asks for a newer build') then
      canceled[#canceled + 1] = running
    end
  end
  return canceled
end

-- Says what the item comes after: a running job, or one that is staged, which gives way to it. That
-- waits for its group, and the group for the item.
local function look_at_active(item, id)
  local is_staged = id and call('HGET', P .. 'job:' .. id, 'state') == 'staged'
  item.succeeds = id ~= nil and not is_staged
  item.supersedes = is_staged and id or nil
end

-- Gives each item its id: that of the pending job of its identity, or a new one, in order. Where new
-- ids were reserved, each comes by its place after `reserved`.
local function assign_ids(items, reserved)
  local pending, active, fresh = ids_in('pending', items), ids_in('active', items), {}
  for _, item in ipairs(items) do
    item.id = pending[item.identity]
    item.replaces = item.id ~= nil
    look_at_active(item, active[item.identity])
    fresh[#fresh + 1] = not item.replaces and item or nil
  end
  if not reserved and #fresh > 0 then
    reserved = call('INCRBY', P .. 'sequence', #fresh) - #fresh
  end
  for i, item in ipairs(fresh) do
    item.id = string.format('%d', reserved + (item.place or i))
  end
end
