-- The end of a job by the word of its holder.

-- False for a stale token. Said twice with the same outcome it is as good as said once.
local function finish(id, token, outcome, reason, failure)
  local job = call('HMGET', P .. 'job:' .. id, 'state', 'token', 'outcome')
  local state = job[1]
  if job[2] == token and state == 'done' and job[3] == outcome then
    return true
  end
  if not holds(state, job[2], token) then
    return false
  end
  retire(id, outcome, reason, failure)
  settle()
  if state == 'publishing' and call('EXISTS', P .. 'removals') == 1 then
    wake_runners()
  end
  return true
end
