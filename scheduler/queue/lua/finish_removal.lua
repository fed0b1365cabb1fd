-- ARGV: id, token, outcome, reason. Returns 1, or 0 for a stale token.

local DETAILS_KEPT = 7 * 24 * 3600

local id, token, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record = P .. 'removal:' .. id
local held = call('HMGET', record, 'state', 'token', 'scope', 'owner', 'attempt', 'request',
  'submitted', 'outcome')
if held[1] == 'done' and held[2] == token and held[8] == outcome then
  return 1
end
if not holds(held[1], held[2], token) then
  return 0
end
let_go(id, held[4])
call('LREM', P .. 'removals', 1, id)
call('HSET', record, 'state', 'done', 'outcome', outcome, 'reason', reason)
call('EXPIRE', record, DETAILS_KEPT)
event('removal', id, {identity = held[3], state = 'done', outcome = outcome, worker = held[4],
  attempt = held[5], request = held[6], submitted = held[7], reason = reason})
wake_runners()
return 1
