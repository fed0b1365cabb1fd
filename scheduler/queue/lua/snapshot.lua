-- ARGV: how many jobs of each kind to show. Changes nothing. Returns JSON.

local limit = tonumber(ARGV[1])

local SHOWN_BLOCKERS = 4

-- Returns identity and state of the first ones that `id` waits for.
local function blockers_of(id, identity)
  local found, seen = {}, {}
  each_blocker(id, identity, function(blocker)
    if not seen[blocker] then
      seen[blocker] = true
      found[#found + 1] = call('HMGET', P .. 'job:' .. blocker, 'identity', 'state')
    end
    return #found == SHOWN_BLOCKERS
  end)
  return found
end

local function listed(queued)
  local found, first = {}, 0
  while #found < limit do
    local entries = call('LRANGE', P .. queued, first, first + CHUNK - 1)
    if #entries == 0 then
      break
    end
    for _, entry in ipairs(entries) do
      local id = string.match(entry, '%d+$')
      local job = call('HMGET', P .. 'job:' .. id, 'state', 'queued')
      if job[1] == 'ready' and job[2] == queued then
        found[#found + 1] = entry
      end
    end
    first = first + CHUNK
  end
  return found
end

-- Returns the first ready jobs of `kind`, which is front or ready.
local function ready_of(kind)
  local entries, seen, ids = {}, {}, {}
  local classes = call('ZRANGE', P .. 'classes', 0, -1)
  for _, class in ipairs(call('SMEMBERS', P .. 'named')) do
    classes[#classes + 1] = class
  end
  for _, class in ipairs(classes) do
    for _, entry in ipairs(listed(kind .. ':' .. class)) do
      if not seen[entry] then
        seen[entry] = true
        entries[#entries + 1] = entry
      end
    end
  end
  table.sort(entries, function(a, b) return turn_of(a) < turn_of(b) end)
  for i, entry in ipairs(entries) do
    ids[i] = string.match(entry, '%d+$')
  end
  return ids
end

local function first_in(place)
  return views(call('ZRANGE', P .. place, 0, limit - 1), limit)
end

local ready, waiting = ready_of('front'), first_in('waiting')
for _, id in ipairs(ready_of('ready')) do
  ready[#ready + 1] = id
end
for _, job in ipairs(waiting) do
  job.blockers = blockers_of(string.format('%d', job.id), job.identity)
end
local active = call('HVALS', P .. 'active')
table.sort(active, by_turn)
local totals = {active = #active, removals = call('LLEN', P .. 'removals')}
totals.ready = call('HLEN', P .. 'pending')
for _, place in ipairs({'waiting', 'held', 'delayed'}) do
  totals[place] = call('ZCARD', P .. place)
  totals.ready = totals.ready - totals[place]
end
totals.quarantine = call('ZCARD', P .. 'quarantine')
totals.groups = #call('SMEMBERS', P .. 'groups')
return cjson.encode({
  now = NOW,
  workers = workers(),
  active = views(active, limit),
  ready = views(ready, limit),
  waiting = waiting,
  held = first_in('held'),
  delayed = first_in('delayed'),
  quarantine = views(call('ZREVRANGE', P .. 'quarantine', 0, limit - 1), limit),
  recent = views(call('LRANGE', P .. 'recent', 0, limit - 1), limit),
  pause = pause(),
  totals = totals,
})
