-- ARGV: protocol, runner, lease in milliseconds, target repositories (none: all).
-- Returns id, token, attempt, end of the lease and body of each removal.

local runner, lease = ARGV[2], tonumber(ARGV[3])
local wanted = #ARGV > 3 and set_of({unpack(ARGV, 4)})

local function carry_out(id, scope)
  local record = P .. 'removal:' .. id
  local removal = call('HMGET', record, 'body', 'request', 'submitted')
  local token = take(record, id, runner, 'publishing', lease)
  local attempt = call('HINCRBY', record, 'attempt', 1)
  event('removal', id, {identity = scope, state = 'publishing', worker = runner,
    attempt = attempt, request = removal[2], submitted = removal[3], started = NOW})
  return {id, token, attempt, NOW + lease, removal[1]}
end

local other = other_protocol(ARGV[1])
if other then
  return other
end
heard_of(runner, runner, 0)
local result = {}
each_open_removal(wanted, function(id, scope, may_go)
  if may_go then
    result[#result + 1] = carry_out(id, scope)
  end
end)
return result
