-- ARGV: runner, lease in milliseconds, target repositories (none: all).
-- Returns id, token, attempt, end of the lease and body of each removal.

local runner, lease = ARGV[1], tonumber(ARGV[2])
local wanted = #ARGV > 2 and set_of({unpack(ARGV, 3)})

local function first_publishing()
  local first = {}
  for _, id in ipairs(call('SMEMBERS', P .. 'publishing')) do
    local scope = string.match(call('HGET', P .. 'job:' .. id, 'identity'), '^[^/]+/[^/]+')
    first[scope] = math.min(first[scope] or math.huge, tonumber(id))
  end
  return first
end

heard_of(runner, runner, 0)
local publishing, result = first_publishing(), {}
for _, id in ipairs(call('LRANGE', P .. 'removals', 0, -1)) do
  local record = P .. 'removal:' .. id
  local removal = call('HMGET', record, 'state', 'scope', 'body', 'request', 'submitted')
  local scope = removal[2]
  local ours = not wanted or wanted[string.match(scope, '^[^/]+')]
  local held_back = publishing[scope] and publishing[scope] < tonumber(id)
  if removal[1] == 'waiting' and ours and not held_back then
    local token = take(record, id, runner, 'publishing', lease)
    local attempt = call('HINCRBY', record, 'attempt', 1)
    event('removal', id, {identity = scope, state = 'publishing', worker = runner,
      attempt = attempt, request = removal[4], submitted = removal[5], started = NOW})
    result[#result + 1] = {id, token, attempt, NOW + lease, removal[3]}
  end
end
return result
