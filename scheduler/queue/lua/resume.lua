-- Returns 1, or 0 if there was no pause.

if call('HDEL', P .. 'control', 'pause') == 0 then
  return 0
end
queue_event('resumed')
each_worker(function(id)
  wake(id)
end)
return 1
