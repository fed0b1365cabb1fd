-- ARGV: reason. Returns 1, or 0 if there was a pause already.

if call('HSETNX', P .. 'control', 'pause', NOW .. ' ' .. ARGV[1]) == 0 then
  return 0
end
queue_event('paused', ARGV[1])
return 1
