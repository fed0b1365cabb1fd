-- ARGV: protocol, runner, lease in milliseconds, target repositories (none: all).
-- Returns id, token, attempt, end of the lease and body of each removal.

local runner, lease = ARGV[2], tonumber(ARGV[3])
local wanted = #ARGV > 3 and set_of({unpack(ARGV, 4)})

local function carry_out(id)
  local record = P .. 'removal:' .. id
  local token = grant_lease(record, id, runner, 'publishing', lease)
  local attempt = call('HINCRBY', record, 'attempt', 1)
  removal_event('removal', id, {state = 'publishing', started = NOW})
  return {id, token, attempt, NOW + lease, call('HGET', record, 'body') or ''}
end

touch_worker(runner, runner, 0)
local result = {}
each_open_removal(wanted, function(id, _, may_go)
  if may_go then
    result[#result + 1] = carry_out(id)
  end
end)
return result
