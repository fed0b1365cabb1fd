-- ARGV: targets. Returns the place of the target, whether it was done, id, identity and reason of
-- each answer.

for place, target in ipairs(ARGV) do
  local id = pending_of(target)
  if id and call('HGET', P .. 'job:' .. id, 'place') == 'held' then
    local caution = caution_of(id)
    forget_lacks(id)
    note_lacks(id)
    call('HSET', P .. 'job:' .. id, 'caution', caution .. '; it was told to go on without')
    answer(place, true, id, 'goes on')
  else
    id = id or unfinished_of(target)[1] or ended_of(target)
    answer(place, false, id, id and 'is not held' or 'the queue knows no such job')
  end
end
settle()
return answers
