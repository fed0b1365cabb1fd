-- ARGV: protocol, runner, lease and wait in milliseconds, limit, target repositories (none: all).
-- Returns 1 if there are removals or groups to be claimed first, 2 if the runner is to end, else 0;
-- then the jobs, see `delivering`. One of a group is to be staged.

local runner, lease = ARGV[2], tonumber(ARGV[3])
local wait, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local wanted = #ARGV > 5 and set_of({unpack(ARGV, 6)})

-- Returns the first open removal of each scope, and whether one of ours is to be carried out.
local function open_removals()
  local first, claimable = {}, false
  each_open_removal(wanted, function(id, scope, may_go)
    first[scope] = first[scope] or tonumber(id)
    claimable = claimable or may_go
  end)
  return first, claimable
end

local _, refusal = check_in(ARGV[1], runner, runner, 0)
if refusal then
  return refusal
end
local first_removals, removals = open_removals()
local result = {(removals or first_complete(wanted)) and 1 or 0}

local function may_go(id, identity)
  local scope, repository = string.match(identity or '', '^(([^/]+)/[^/]+)')
  local turn = first_removals[scope or '']
  return scope and (not wanted or wanted[repository]) and (not turn or tonumber(id) < turn)
end

-- Returns those that are published together; one at which a runner ended before goes alone, once
-- those that landed before it have gone.
local function next_ones()
  local ids = {}
  for _, id in ipairs(call('LRANGE', P .. 'landed', 0, -1)) do
    local job = call('HMGET', P .. 'job:' .. id, 'identity', 'crashes', 'publish_after')
    if may_go(id, job[1]) then
      if not job[2] then
        ids[#ids + 1] = #ids < limit and id or nil
      elseif #ids == 0 and tonumber(job[3] or 0) <= NOW then
        return {id}
      end
    end
  end
  return ids
end

for _, id in ipairs(next_ones()) do
  call('LREM', P .. 'landed', 1, id)
  result[#result + 1] = hand_out_delivery(id, runner, lease)
end
if #result == 1 and result[1] == 0 and wait > 0 then
  wait_for_hint(runner, wait)
  call('SADD', P .. 'idle_runners', runner)
end
return result
