-- Handing out what is to be published.

-- Returns id, token, attempt, end of the lease, delivery, spec, builder and group of the job.
local function hand_out_delivery(id, runner, lease)
  local record = P .. 'job:' .. id
  call('HDEL', record, 'reason', 'publish_after')
  call('SADD', P .. 'publishing', id)
  local token = grant_lease(record, id, runner, 'publishing', lease)
  local job, spec = describe(id, 'spec')
  job_event('publishing', id, job, {state = 'publishing'})
  local builder = call('HGET', record, 'worker')
  return {id, token, job.attempt or 0, NOW + lease, job.delivery or '', spec or '', builder or '',
    job.group or ''}
end

-- Returns the first group that may be published now by somebody who works for the `wanted`
-- repositories (nil: for all). Removals go first.
local function first_complete(wanted)
  local open = {}
  for _, group in ipairs(call('LRANGE', P .. 'complete', 0, -1)) do
    if not open.scopes then
      open.scopes = {}
      each_open_removal(wanted, function(_, scope) open.scopes[scope] = true end)
    end
    local scope, repository = string.match(group, '^(([^/]+)/[^/]+)')
    local state = call('HMGET', P .. 'group:' .. group, 'trouble', 'publish_after')
    if (not wanted or wanted[repository]) and not open.scopes[scope] and not state[1]
        and tonumber(state[2] or 0) <= NOW then
      return group
    end
  end
end
