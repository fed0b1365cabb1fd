-- ARGV: reason, targets. Returns the answers.

local reason = ARGV[1]

local function dismiss(target)
  local id = ended_of(target)
  if is_identity(target) then
    id = call('HGET', P .. 'quarantined', target) or id
  end
  local job = id and call('HMGET', P .. 'job:' .. id, 'identity', 'quarantined')
  if job and job[2] then
    leave_quarantine(id, job[1])
    answer(true, id, 'taken out of quarantine')
  elseif job then
    answer(false, id, 'has ended already')
  else
    answer(false, nil, 'the queue knows no such job')
  end
end

return each_target(2, function(target)
  local ids = unfinished_of(target)
  for _, id in ipairs(ids) do
    local state = call('HGET', P .. 'job:' .. id, 'state')
    local done = cancel_job(id, reason)
    local held = state == 'building' or state == 'publishing'
    answer(done, id, not done and 'its holder was asked to stop already'
      or held and 'its holder is asked to stop' or 'canceled')
  end
  if #ids == 0 then
    dismiss(target)
  end
end)
