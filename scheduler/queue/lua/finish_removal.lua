-- ARGV: id, token, outcome, reason. Returns 1, or 0 for a stale token.

local DETAILS_KEPT = 7 * 24 * 3600

local id, token, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = P .. 'removal:' .. id
local held = call('HMGET', record, 'state', 'token', 'scope', 'owner', 'attempt', 'request',
  'submitted', 'outcome', 'body')
if held[1] == 'done' and held[2] == token and held[8] == outcome then
  return 1
end
if not holds(held[1], held[2], token) then
  return 0
end

-- Cancels the jobs of packages that went, but not those that were asked for since then.
local function cancel_jobs(scope, removal)
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
        end
      end
    end
  end
end

let_go(id, held[4])
call('LREM', P .. 'removals', 1, id)
call('HSET', record, 'state', 'done', 'outcome', outcome, 'reason', reason)
call('EXPIRE', record, DETAILS_KEPT)
event('removal', id, {identity = held[3], state = 'done', outcome = outcome, worker = held[4],
  attempt = held[5], request = held[6], submitted = held[7], reason = reason})
if outcome == OUTCOME.SUCCESS then
  cancel_jobs(held[3], cjson.decode(held[9]))
  settle()
end
wake_runners()
return 1
