-- ARGV: id, token, outcome, reason. Returns 1, or 0 for a stale token.

local id, token, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = P .. 'removal:' .. id
local state, held_token, scope, owner, ended, body = unpack(call('HMGET', record, 'state', 'token',
  'scope', 'owner', 'outcome', 'body'))
if state == 'done' and held_token == token and ended == outcome then
  return 1
elseif not holds(state, held_token, token) then
  return 0
end

-- Cancels the jobs of packages that went, but not those that were asked for since then.
local function cancel_jobs(removal)
  local kept, removed = set_of(removal.keep), set_of(removal.remove)
  for _, mapping in ipairs({'pending', 'active'}) do
    local jobs = call('HGETALL', P .. mapping)
    for i = 1, #jobs, 2 do
      local its_scope, base = string.match(jobs[i], '^([^/]+/[^/]+)/(.*)$')
      local goes = removed[base] or (#removal.keep > 0 and not kept[base])
      if its_scope == scope and goes then
        -- A job that was replaced has its old turn, but is not older than its content.
        local renewed = call('HGET', P .. 'job:' .. jobs[i + 1], 'renewed')
        if tonumber(renewed or jobs[i + 1]) < tonumber(id) then
          cancel_job(jobs[i + 1], 'the removal ' .. id .. ' takes the package away')
          forget_member(jobs[i])
        end
      end
    end
  end
end

end_lease(id, owner)
call('LREM', P .. 'removals', 1, id)
call('HSET', record, 'state', 'done', 'outcome', outcome, 'reason', reason)
call('EXPIRE', record, DETAILS_KEPT)
removal_event('removal', id, {state = 'done', outcome = outcome, reason = reason})
if outcome == OUTCOME.SUCCESS then
  cancel_jobs(cjson.decode(body))
end
wake_runners()
return 1
