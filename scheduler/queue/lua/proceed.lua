-- ARGV: targets. Returns the answers.

return each_target(1, function(target)
  local id = pending_of(target)
  if id and call('HGET', P .. 'job:' .. id, 'place') == 'held' then
    local caution = caution_of(id)
    remove_failed_deps(id)
    note_failed_deps(id)
    call('HSET', P .. 'job:' .. id, 'caution', caution .. '; it was told to go on without')
    answer(true, id, 'goes on')
  else
    id = id or unfinished_of(target)[1] or ended_of(target)
    answer(false, id, id and 'is not held' or 'the queue knows no such job')
  end
end)
