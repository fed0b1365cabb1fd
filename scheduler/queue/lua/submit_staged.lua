-- Begins the intake of a request whose jobs are staged.
--
-- ARGV: protocol, request id, what to do about running jobs (follow or cancel), token, number of jobs,
-- the removals as JSON. Returns 1 if the request is known, 2 if the jobs are not staged (any more);
-- else 0, and the ids of removals and canceled jobs, each joined by commas.

local request, on_running, token, count = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if was_taken(request) then
  forget_staged(token)
  return {1}
elseif not is_staged(token, count) then
  return {2}
end
remember_request(request)
local removals, canceled = submit_removals(request, 6, #ARGV)
begin_intake(token, count, 'kind', 'submit', 'request', request, 'sequence',
  call('INCRBY', P .. 'sequence', count) - count, 'step',
  on_running == 'cancel' and 'cancel' or 'index')
return {0, table.concat(removals, ','), table.concat(canceled, ',')}
