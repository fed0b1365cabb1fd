-- ARGV: how many jobs of each kind to show. Changes nothing. Returns JSON.

local limit = tonumber(ARGV[1])

local FIELDS = {'identity', 'state', 'class', 'attempt', 'worker', 'outcome', 'reason',
  'submitted', 'started', 'landed', 'finished', 'caution'}
local SHOWN_BLOCKERS = 4

local function view(id)
  local values, job = call('HMGET', P .. 'job:' .. id, unpack(FIELDS)), {id = tonumber(id)}
  for i, field in ipairs(FIELDS) do
    job[field] = values[i] or nil
  end
  return job.identity and job
end

-- Returns identity and state of the first ones that `id` waits for.
local function blockers_of(id, identity)
  local found, seen = {}, {}
  local function add(blocker)
    if not seen[blocker] and #found < SHOWN_BLOCKERS then
      seen[blocker] = true
      found[#found + 1] = call('HMGET', P .. 'job:' .. blocker, 'identity', 'state')
    end
  end
  local running = call('HGET', P .. 'active', identity)
  if running then
    add(running)
  end
  local skipped = skipped_by(id) or {}
  for _, name in ipairs(wants_of(spec_of(id))) do
    local providers = call('SMEMBERS', P .. 'prov:' .. name)
    table.sort(providers, by_turn)
    for _, provider in ipairs(providers) do
      if not skipped[provider] then
        add(provider)
      end
    end
    if #found == SHOWN_BLOCKERS then
      break
    end
  end
  return found
end

local function ready_of(class)
  local found, first = {}, 0
  while #found < limit do
    local ids = call('LRANGE', P .. 'ready:' .. class, first, first + CHUNK - 1)
    if #ids == 0 then
      break
    end
    for _, id in ipairs(ids) do
      local job = view(id)
      if job and job.state == 'ready' and job.class == class then
        found[#found + 1] = job
      end
    end
    first = first + CHUNK
  end
  return found
end

local function ready()
  local found, seen, result = {}, {}, {}
  local classes = call('ZRANGE', P .. 'classes', 0, -1)
  for _, class in ipairs(call('SMEMBERS', P .. 'named')) do
    classes[#classes + 1] = class
  end
  for _, class in ipairs(classes) do
    for _, job in ipairs(ready_of(class)) do
      if not seen[job.id] then
        seen[job.id] = true
        found[#found + 1] = job
      end
    end
  end
  table.sort(found, function(a, b) return a.id < b.id end)
  for i = 1, math.min(limit, #found) do
    result[i] = found[i]
  end
  return result
end

local function waiting()
  local result = {}
  for _, id in ipairs(call('ZRANGE', P .. 'waiting', 0, limit - 1)) do
    local job = view(id)
    job.blockers = blockers_of(id, job.identity)
    result[#result + 1] = job
  end
  return result
end

local function views(ids)
  local result = {}
  for _, id in ipairs(ids) do
    local job = #result < limit and view(id)
    if job then
      result[#result + 1] = job
    end
  end
  return result
end

local function workers()
  local result, known = {}, call('HGETALL', P .. 'workers')
  for i = 1, #known, 2 do
    result[#result + 1] = {
      id = known[i],
      description = known[i + 1],
      seen = call('ZSCORE', P .. 'seen', known[i]),
      jobs = call('LRANGE', P .. 'hand:' .. known[i], 0, -1),
    }
  end
  return result
end

local active = call('HVALS', P .. 'active')
table.sort(active, by_turn)
local total_waiting = call('ZCARD', P .. 'waiting')
return cjson.encode({
  now = NOW,
  workers = workers(),
  active = views(active),
  ready = ready(),
  waiting = waiting(),
  recent = views(call('LRANGE', P .. 'recent', 0, limit - 1)),
  total_active = #active,
  total_waiting = total_waiting,
  total_ready = call('HLEN', P .. 'pending') - total_waiting,
  total_removals = call('LLEN', P .. 'removals'),
})
