-- Jobs as they are shown. Changes nothing.

local FIELDS = {'identity', 'state', 'class', 'attempt', 'worker', 'outcome', 'reason',
  'submitted', 'started', 'landed', 'finished', 'caution', 'place', 'due', 'lost', 'rank', 'cancel',
  'quarantined', 'delivery', 'failure', 'setback', 'peak_memory', 'cpu_seconds', 'group'}

local WAITED_FOR_SHOWN = 20

local function view(id)
  local values, job = call('HMGET', P .. 'job:' .. id, unpack(FIELDS)), {id = tonumber(id)}
  for i, field in ipairs(FIELDS) do
    job[field] = values[i] or nil
  end
  if job.place == 'held' then
    job.held_by = failed_deps(id)
  end
  return job.identity and job
end

local function views(ids, limit)
  local result = {}
  for _, id in ipairs(ids) do
    local job = #result < limit and view(id)
    if job then
      result[#result + 1] = job
    end
  end
  return result
end

-- Calls `visit` with each job that `id` waits for, and the name it depends on. The visit ends
-- where that returns true.
local function each_blocker(id, identity, visit)
  local running = call('HGET', P .. 'active', identity)
  if running and running ~= id and visit(running, '') then
    return
  end
  local skipped = skipped_by(id) or {}
  for _, name in ipairs(wants_of(spec_of(id))) do
    local providers = call('SMEMBERS', P .. 'prov:' .. name)
    table.sort(providers, by_turn)
    for _, provider in ipairs(providers) do
      if not skipped[provider] and visit(provider, name) then
        return
      end
    end
  end
end

-- The parts of a rebuild group, each with its first members.
local function group_view(group, limit)
  local state = call('HMGET', P .. 'group:' .. group, 'publish', 'opened', 'trouble')
  local found = {name = group, publish = state[1], opened = state[2], trouble = state[3] or nil,
    parts = {}, totals = {}}
  for _, part in ipairs({'unbuilt', 'staged_in', 'publishing_in', 'failed_in'}) do
    local members = P .. part .. ':' .. group
    found.parts[part] = views(call('ZRANGE', members, 0, limit - 1), limit)
    found.totals[part] = call('ZCARD', members)
  end
  for _, job in ipairs(found.parts.unbuilt) do
    job.waits_for = {}
    each_blocker(string.format('%d', job.id), job.identity, function(blocker)
      local other = call('HMGET', P .. 'job:' .. blocker, 'group', 'identity')
      if other[1] == group then
        job.waits_for[#job.waits_for + 1] = other[2]
      end
      return #job.waits_for == WAITED_FOR_SHOWN
    end)
  end
  return found
end

-- All workers and runners that are known.
local function workers()
  local result = {}
  each_worker(function(id, name, class)
    result[#result + 1] = {
      id = id,
      name = name,
      class = class,
      architectures = call('HGET', P .. 'builds', id) or USUAL_ARCH,
      seen = call('ZSCORE', P .. 'seen', id),
      jobs = call('LRANGE', P .. 'hand:' .. id, 0, -1),
      draining = call('HEXISTS', P .. 'control', 'drain:' .. id) == 1,
    }
  end)
  return result
end
