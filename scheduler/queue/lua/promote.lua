-- ARGV: targets. Returns the answers.

local function promote(id)
  local rank = call('INCR', P .. 'promotions')
  call('ZADD', P .. 'promoted', rank, id)
  call('HSET', P .. 'job:' .. id, 'rank', rank)
  changed[id] = true
  local job = describe(id)
  job_event('promoted', id, job, {state = job.state})
end

-- Returns the pending jobs that `id` waits for, and those that these wait for, in order of turn.
local function pending_before(id)
  local seen, found, todo = {[id] = true}, {}, {id}
  while #todo > 0 do
    local one = table.remove(todo)
    local function visit(other)
      local state = not seen[other] and call('HGET', P .. 'job:' .. other, 'state')
      if state and is_pending_state(state) then
        seen[other] = true
        found[#found + 1] = other
        todo[#todo + 1] = other
      end
    end
    each_blocker(one, call('HGET', P .. 'job:' .. one, 'identity'), visit)
    if call('HGET', P .. 'job:' .. one, 'place') == 'held' then
      for _, identity in ipairs(failed_deps(one)) do
        visit(call('HGET', P .. 'pending', identity) or one)
      end
    end
  end
  table.sort(found, by_turn)
  return found
end

return each_target(1, function(target)
  local id = pending_of(target)
  if not id then
    id = unfinished_of(target)[1] or ended_of(target)
    answer(false, id, id and 'does not wait any more' or 'the queue knows no such job')
  elseif call('HEXISTS', P .. 'job:' .. id, 'rank') == 1 then
    answer(false, id, 'was promoted already')
  else
    for _, other in ipairs(pending_before(id)) do
      if call('HEXISTS', P .. 'job:' .. other, 'rank') == 0 then
        promote(other)
        answer(true, other, 'promoted along')
      end
    end
    promote(id)
    answer(true, id, 'promoted')
  end
end)
