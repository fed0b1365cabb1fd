-- ARGV: reason, targets. Returns the place of the target, whether it was done, id, identity and
-- reason of each answer.

local reason = ARGV[1]

local function dismiss(place, target)
  local id = ended_of(target)
  if is_identity(target) then
    id = call('HGET', P .. 'quarantined', target) or id
  end
  local job = id and call('HMGET', P .. 'job:' .. id, 'identity', 'quarantined')
  if job and job[2] then
    leave_quarantine(id, job[1])
    answer(place, true, id, 'taken out of quarantine')
  elseif job then
    answer(place, false, id, 'has ended already')
  else
    answer(place, false, nil, 'the queue knows no such job')
  end
end

for place = 2, #ARGV do
  local ids = unfinished_of(ARGV[place])
  for _, id in ipairs(ids) do
    local state = call('HGET', P .. 'job:' .. id, 'state')
    local done = cancel_job(id, reason)
    local held = state == 'building' or state == 'publishing'
    answer(place - 1, done, id, not done and 'its holder was asked to stop already'
      or held and 'its holder is asked to stop' or 'canceled')
  end
  if #ids == 0 then
    dismiss(place - 1, ARGV[place])
  end
end
settle()
return answers
