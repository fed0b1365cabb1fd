-- Returns how many jobs were forgotten that had not ended or were in quarantine.
--
-- What stays: events, logs, known repositories, the protocol; and the counters of ids and tokens,
-- which must not come again, because somebody may still hold a claim.

local SINGLE = {'pending', 'active', 'last', 'scopes', 'waiting', 'held', 'delayed', 'promoted',
  'promotions', 'classes', 'named', 'skippers', 'leases', 'landed', 'publishing', 'removals',
  'held_removals', 'workers', 'seen', 'idle_until', 'idle', 'idle_runners', 'requests', 'recent',
  'quarantine', 'quarantined'}

local function forget(...)
  for _, key in ipairs({...}) do
    call('UNLINK', P .. key)
  end
end

-- Returns how many there were.
local function forget_each(prefix, names)
  for _, name in ipairs(names) do
    forget(prefix .. name)
  end
  return #names
end

-- Forgets a job that has not ended, and all it stands in.
local function forget_job(id)
  local spec = spec_of(id)
  local names, own = names_of(spec)
  forget_each('want:', wants_of(spec, own))
  forget_each('prov:', names)
  forget_each('lacking:', call('HKEYS', P .. 'without:' .. id))
  forget('skip:' .. id, 'without:' .. id, 'job:' .. id)
end

local jobs = forget_each('job:', call('ZRANGE', P .. 'quarantine', 0, -1))
for _, mapping in ipairs({'pending', 'active'}) do
  for _, id in ipairs(call('HVALS', P .. mapping)) do
    forget_job(id)
    jobs = jobs + 1
  end
end
forget_each('job:', call('HVALS', P .. 'last'))
forget_each('job:', call('LRANGE', P .. 'recent', 0, -1))
forget_each('removal:', call('LRANGE', P .. 'removals', 0, -1))
forget_each('removal:', call('ZRANGE', P .. 'held_removals', 0, -1))
for _, classes in ipairs({call('ZRANGE', P .. 'classes', 0, -1), call('SMEMBERS', P .. 'named')}) do
  forget_each('ready:', classes)
  forget_each('front:', classes)
end
each_worker(function(id, name)
  wake(id)
  forget('hand:' .. id, 'idle:' .. name)
  call('HDEL', P .. 'control', 'drain:' .. id)
end)
forget_each('', SINGLE)
call('HDEL', P .. 'control', 'pause')
queue_event('reset', jobs .. ' jobs were forgotten')
return jobs
