-- ARGV: target, how many blockers to show. Changes nothing. Returns JSON, or nothing.

local target, limit = ARGV[1], tonumber(ARGV[2])

-- Returns the blockers of `first`, and those that block these in turn, nearest first.
local function blockers_of(first)
  local found, seen, todo, more = {}, {[first] = true}, {first}, false
  local at = 1
  while todo[at] and not more do
    local waiter = todo[at]
    at = at + 1
    each_blocker(waiter, call('HGET', P .. 'job:' .. waiter, 'identity'), function(blocker, name)
      if seen[blocker] then
        return false
      end
      more = #found == limit
      if not more then
        seen[blocker] = true
        found[#found + 1] = {job = view(blocker), waiter = tonumber(waiter),
          name = string.match(name, '[^:]*$')}
        if is_pending_state(call('HGET', P .. 'job:' .. blocker, 'state')) then
          todo[#todo + 1] = blocker
        end
      end
      return more
    end)
  end
  return found, more
end

-- Counts the ready jobs of the same class that go first.
local function ahead_of(id)
  local job = call('HMGET', P .. 'job:' .. id, 'queued', 'rank', 'place')
  if job[3] ~= 'ready' then
    return 0
  end
  local entry = job[2] and job[2] .. ':' .. id or id
  local ahead = call('LPOS', P .. job[1], entry) or 0
  if not job[2] then
    ahead = ahead + call('LLEN', P .. 'front:' .. lane_in(job[1]))
  end
  return ahead
end

local identity = target
if not is_identity(target) then
  identity = call('HGET', P .. 'job:' .. target, 'identity')
end
local ids = {}
for _, mapping in ipairs({'pending', 'active', 'last'}) do
  ids[mapping] = identity and call('HGET', P .. mapping, identity) or nil
end
local last = ids.last and view(ids.last) or nil
if not (ids.pending or ids.active or last) then
  return false
end
local blockers, more = {}, false
if ids.pending then
  blockers, more = blockers_of(ids.pending)
end
local group = call('HGET', P .. 'member_of', identity)
return cjson.encode({
  now = NOW,
  group = group and group_view(group, limit) or nil,
  identity = identity,
  pending = ids.pending and view(ids.pending) or nil,
  running = ids.active and view(ids.active) or nil,
  last = last,
  blockers = blockers,
  more = more,
  ahead = ids.pending and ahead_of(ids.pending) or 0,
  workers = workers(),
  pause = pause(),
})
