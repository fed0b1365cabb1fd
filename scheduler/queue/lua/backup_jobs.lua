-- ARGV: the token of the backup, ids of jobs and the state after each. Returns documents as JSON, or
-- nothing if the backup took too long: the queue is open again, and may have changed.

if call('HGET', P .. 'intake', 'token') ~= ARGV[1] then
  return false
end
keep_closed()
add_jobs({unpack(ARGV, 2)})
return documents
