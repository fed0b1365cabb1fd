-- Begins a backup. ARGV: a token, how many jobs are read at once.
-- Returns the documents as JSON, and an empty text; or where there are many jobs the documents but for
-- those of jobs, and the ids of these, each with the state of the job after it, the pending ones in any
-- order. Then the queue is closed until `backup_end`, or until nobody asks for them any more.

local at_once, jobs = tonumber(ARGV[2]), {}

local function list(ids, state)
  for _, id in ipairs(ids) do
    jobs[#jobs + 1] = id
    jobs[#jobs + 1] = state
  end
end

local function list_active()
  local publishing = call('SMEMBERS', P .. 'publishing')
  table.sort(publishing, by_turn)
  list(publishing, 'landed')
  list(call('LRANGE', P .. 'landed', 0, -1), 'landed')
  local active, building = call('HVALS', P .. 'active'), {}
  table.sort(active, by_turn)
  local staged = {}
  for _, id in ipairs(active) do
    local state = call('HGET', P .. 'job:' .. id, 'state')
    building[#building + 1] = state == 'building' and id or nil
    staged[#staged + 1] = state == 'staged' and id or nil
  end
  -- What is staged can be staged again from its delivery.
  list(staged, 'landed')
  list(building, 'building')
end

local GROUP_FIELDS = {'publish', 'opened', 'trouble', 'crashes', 'publish_after', 'published'}

local function add_group(group)
  local values, fields = call('HMGET', P .. 'group:' .. group, unpack(GROUP_FIELDS)), {}
  for i, field in ipairs(GROUP_FIELDS) do
    fields[field] = values[i] or nil
  end
  add({kind = 'group', name = group, fields = fields})
  for _, id in ipairs(call('ZRANGE', P .. 'failed_in:' .. group, 0, -1)) do
    if not call('ZSCORE', P .. 'quarantine', id) then
      list({id}, 'failed')
    end
  end
end

add({kind = 'queue', version = 1, protocol = call('HGET', P .. 'control', 'protocol') or '',
  time = NOW, sequence = call('GET', P .. 'sequence') or '0', token = call('GET', P .. 'token') or
  '0', promotions = call('GET', P .. 'promotions') or '0', pause = pause()})
for _, registry in ipairs({'targets', 'sources'}) do
  local known = call('HGETALL', P .. registry)
  for i = 1, #known, 2 do
    add({kind = 'repository', registry = registry, name = known[i], seen = known[i + 1]})
  end
end
local requests = call('ZRANGE', P .. 'requests', 0, -1, 'WITHSCORES')
for i = 1, #requests, 2 do
  add({kind = 'request', id = requests[i], seen = requests[i + 1]})
end
local function add_removal(id, held)
  local removal = call('HMGET', P .. 'removal:' .. id, 'request', 'submitted', 'attempt', 'body',
    'reason', 'names_all', 'crashes')
  add({kind = 'removal', id = id, request = removal[1], submitted = removal[2],
    attempt = removal[3], crashes = removal[7] or nil, held = held and removal[5] or nil,
    names_all = held and removal[6] or nil}, ',"removal":' .. removal[4])
end

for _, id in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
  add_removal(id, true)
end
for _, id in ipairs(call('LRANGE', P .. 'removals', 0, -1)) do
  add_removal(id)
end
for _, group in ipairs(call('SMEMBERS', P .. 'groups')) do
  add_group(group)
end
list_active()
local pending = call('HVALS', P .. 'pending')
if #jobs + 2 * #pending <= 2 * at_once then
  table.sort(pending, by_turn)
end
list(pending, 'pending')
list(call('ZRANGE', P .. 'quarantine', 0, -1), 'quarantine')
if #jobs <= 2 * at_once then
  add_jobs(jobs)
  return {documents, ''}
end
call('HSET', P .. 'intake', 'step', 'backup', 'token', ARGV[1])
keep_closed()
return {documents, table.concat(jobs, ' ')}
