-- ARGV: id, token, outcome, reason, failure and notes of each job. Returns for each 1, or 0 for a
-- stale token. Said twice with the same outcome it is as good as said once.

local was_published = false

local function finish(id, token, outcome, reason, failure, notes)
  local job = describe(id)
  if job.token == token and job.state == 'done' and job.outcome == outcome then
    return 1
  elseif not holds(job.state, job.token, token) then
    return 0
  end
  was_published = was_published or job.state == 'publishing'
  take_notes(id, notes)
  end_job(id, job, outcome, reason, failure)
  return 1
end

local result = {}
for i = 1, #ARGV, 6 do
  result[#result + 1] = finish(unpack(ARGV, i, i + 5))
end
if was_published and call('EXISTS', P .. 'removals') == 1 then
  wake_runners()
end
return result
