-- ARGV: protocol, request id, what to do about running jobs (follow or cancel), number of removals,
-- the removals as JSON, the jobs as JSON (one per identity).
-- Returns whether the request is known, then the ids of jobs, replaced jobs, successors, removals
-- and canceled jobs, each joined by commas; then the places, from 1, of the jobs whose target
-- repository nobody works for, and of those whose source repository nobody does.

local REQUEST_KEPT = 90 * 24 * 3600 * 1000

local request, on_running, removal_count = ARGV[2], ARGV[3], tonumber(ARGV[4])
local canceled, removals = {}, {}
local unknown_targets, unknown_sources = {}, {}

local function cancel(identity)
  local reason = 'request ' .. request .. ' removes the package'
  for _, id in ipairs(cancel_jobs_of(identity, reason)) do
    canceled[#canceled + 1] = id
  end
end

local function submit_removal(text)
  local removal, id = cjson.decode(text), next_id()
  local scope = scope_of(removal)
  call('HSET', P .. 'removal:' .. id, 'state', 'waiting', 'scope', scope, 'body', text,
    'attempt', '0', 'submitted', NOW, 'request', request)
  call('RPUSH', P .. 'removals', id)
  removals[#removals + 1] = id
  removal_event('removal', id, {state = 'waiting'})
  -- What a list of those to keep leaves out is canceled when it is carried out: it may be refused.
  for _, base in ipairs(removal.remove) do
    cancel(scope .. '/' .. base)
  end
end

-- Returns the repositories that somebody works for, or nothing if nobody ever said so.
local function known(registry)
  local names = call('HKEYS', P .. registry)
  return #names > 0 and set_of(names) or nil
end

-- Reads the jobs but for those that nobody could build or publish.
local function read_jobs(first)
  local items, targets, sources = {}, known('targets'), known('sources')
  for i = first, #ARGV do
    local spec = cjson.decode(ARGV[i])
    if targets and not targets[spec.target_repo] then
      unknown_targets[#unknown_targets + 1] = i - first + 1
    elseif sources and not sources[spec.source_repo] then
      unknown_sources[#unknown_sources + 1] = i - first + 1
    else
      items[#items + 1] = new_item(ARGV[i], spec)
    end
  end
  return items
end

local function cancel_running(items)
  local active = ids_in('active', items)
  for _, item in ipairs(items) do
    local running = active[item.identity]
    if running and cancel_job(running, 'request ' .. request .. ' asks for a newer build') then
      canceled[#canceled + 1] = running
    end
  end
end

-- Gives each item its id: that of the pending job of its identity, or a new one.
local function assign_ids(items)
  local pending, active, fresh = ids_in('pending', items), ids_in('active', items), 0
  for _, item in ipairs(items) do
    item.id = pending[item.identity]
    item.replaces = item.id ~= nil
    item.succeeds = active[item.identity] ~= nil
    fresh = fresh + (item.replaces and 0 or 1)
  end
  local id = fresh > 0 and call('INCRBY', P .. 'sequence', fresh) - fresh or 0
  for _, item in ipairs(items) do
    if not item.replaces then
      id = id + 1
      item.id = string.format('%d', id)
    end
  end
end

local function ids_of(items, field)
  local ids = {}
  for _, item in ipairs(items) do
    if field == nil or item[field] then
      ids[#ids + 1] = item.id
    end
  end
  return table.concat(ids, ',')
end

local requests = P .. 'requests'
if call('ZSCORE', requests, request) then
  call('ZADD', requests, NOW, request)
  return {1}
end
call('ZREMRANGEBYSCORE', requests, '-inf', NOW - REQUEST_KEPT)
call('ZADD', requests, NOW, request)
for i = 5, 4 + removal_count do
  submit_removal(ARGV[i])
end
local items = read_jobs(5 + removal_count)
if on_running == 'cancel' then
  cancel_running(items)
end
assign_ids(items)
admit(items, request)
if removal_count > 0 then
  wake_runners()
end
return {0, ids_of(items), ids_of(items, 'replaces'), ids_of(items, 'succeeds'),
  table.concat(removals, ','), table.concat(canceled, ','),
  table.concat(unknown_targets, ','), table.concat(unknown_sources, ',')}
