-- Returns 1, or 0 if there was no pause.

if call('HDEL', P .. 'control', 'pause') == 0 then
  return 0
end
queue_event('resumed')
for _, worker in ipairs(call('ZRANGE', P .. 'idle', 0, -1)) do
  wake(worker)
end
call('DEL', P .. 'idle')
return 1
