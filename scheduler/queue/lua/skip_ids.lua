-- ARGV: protocol, an id. Lets the ids of all jobs and removals to come be higher than that one.

if tonumber(call('GET', P .. 'sequence') or 0) < tonumber(ARGV[2]) then
  call('SET', P .. 'sequence', ARGV[2])
end
return 1
