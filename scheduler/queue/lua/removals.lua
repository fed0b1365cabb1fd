-- Which removals may be carried out now.

local function first_publishing()
  local first = {}
  for _, id in ipairs(call('SMEMBERS', P .. 'publishing')) do
    local scope = string.match(call('HGET', P .. 'job:' .. id, 'identity'), '^[^/]+/[^/]+')
    first[scope] = math.min(first[scope] or math.huge, tonumber(id))
  end
  return first
end

-- Calls `visit` with id and scope of every open removal, oldest first, and whether somebody who
-- works for the `wanted` repositories (nil: for all) may carry it out now.
local function each_open_removal(wanted, visit)
  local publishing = first_publishing()
  for _, id in ipairs(call('LRANGE', P .. 'removals', 0, -1)) do
    local removal = call('HMGET', P .. 'removal:' .. id, 'scope', 'state')
    local scope = removal[1]
    local ours = not wanted or wanted[string.match(scope, '^[^/]+')]
    local held_back = publishing[scope] and publishing[scope] < tonumber(id)
    visit(id, scope, removal[2] == 'waiting' and ours and not held_back)
  end
end

-- Ends a removal that waits to be confirmed.
local function forget_held(id, reason)
  removal_event('removal', id, {state = 'done', outcome = '5', reason = reason})
  call('ZREM', P .. 'held_removals', id)
  call('UNLINK', P .. 'removal:' .. id)
end
