-- ARGV: reason. Returns 1, or 0 if there was a pause already.

local is_new = call('HSETNX', P .. 'control', 'pause', NOW .. ' ' .. ARGV[1])
if is_new == 1 then
  queue_event('paused', ARGV[1])
end
return is_new
