-- ARGV: protocol, targets. Returns the answers, with the ids of the new jobs.

-- Returns a newer job of the identity, and what to say about it.
local function newer_than(id, identity)
  local pending = call('HGET', P .. 'pending', identity)
  if pending then
    return pending, 'job ' .. pending .. ' of the package is waiting already'
  end
  local active = call('HGET', P .. 'active', identity)
  if active and by_turn(id, active) then
    return active, 'job ' .. active .. ' of the package, which is newer, is being worked on'
  end
  local last = call('HGET', P .. 'last', identity)
  if last and by_turn(id, last) then
    return last, 'job ' .. last .. ' of the package is newer'
  end
end

local function resubmit(id, identity)
  local text = call('HGET', P .. 'job:' .. id, 'spec')
  local item = new_item(text, cjson.decode(text))
  item.id, item.kind, item.reason = next_id(), 'retried', 'job ' .. id .. ' again'
  item.succeeds = call('HEXISTS', P .. 'active', identity) == 1
  leave_quarantine(id, identity)
  admit({item}, call('HGET', P .. 'job:' .. id, 'request') or '')
  return item.id
end

return each_target(2, function(target)
  local id = ended_of(target)
  if is_identity(target) then
    id = call('HGET', P .. 'quarantined', target) or id
  end
  if not id then
    local unfinished = unfinished_of(target)[1]
    answer(false, unfinished, unfinished and 'has not ended yet'
      or 'the queue knows no such job any more')
    return
  end
  local identity = call('HGET', P .. 'job:' .. id, 'identity')
  local newer, why = newer_than(id, identity)
  if newer then
    answer(false, id, why)
  else
    answer(true, resubmit(id, identity), 'job ' .. id .. ' again')
  end
end)
