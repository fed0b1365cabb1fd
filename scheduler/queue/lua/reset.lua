-- Returns how many jobs were forgotten that had not ended or were in quarantine.
--
-- What stays: events, logs, known repositories, the protocol; and the counters of ids and tokens,
-- which must not come again, because somebody may still hold a claim.

local SINGLE = {'pending', 'active', 'last', 'scopes', 'waiting', 'held', 'delayed', 'promoted',
  'promotions', 'classes', 'named', 'skippers', 'leases', 'landed', 'publishing', 'removals',
  'held_removals', 'workers', 'seen', 'idle_until', 'idle', 'idle_runners', 'requests', 'recent', 'quarantine',
  'quarantined'}

local function forget(...)
  for _, key in ipairs({...}) do
    call('UNLINK', P .. key)
  end
end

local function forget_details(ids)
  for _, id in ipairs(ids) do
    forget('job:' .. id)
  end
end

-- Forgets a job that has not ended, and all it stands in.
local function forget_job(id)
  local spec = spec_of(id)
  for _, name in ipairs(names_of(spec)) do
    forget('prov:' .. name)
  end
  for _, name in ipairs(wants_of(spec)) do
    forget('want:' .. name)
  end
  for _, identity in ipairs(call('HKEYS', P .. 'without:' .. id)) do
    forget('lacking:' .. identity)
  end
  forget('skip:' .. id, 'without:' .. id)
  forget_details({id})
end

local jobs = 0
for _, mapping in ipairs({'pending', 'active'}) do
  for _, id in ipairs(call('HVALS', P .. mapping)) do
    forget_job(id)
    jobs = jobs + 1
  end
end
forget_details(call('HVALS', P .. 'last'))
forget_details(call('LRANGE', P .. 'recent', 0, -1))
local quarantined = call('ZRANGE', P .. 'quarantine', 0, -1)
forget_details(quarantined)
for _, id in ipairs(call('LRANGE', P .. 'removals', 0, -1)) do
  forget('removal:' .. id)
end
for _, id in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
  forget('removal:' .. id)
end
for _, registry in ipairs({call('ZRANGE', P .. 'classes', 0, -1), call('SMEMBERS', P .. 'named')}) do
  for _, class in ipairs(registry) do
    forget('ready:' .. class, 'front:' .. class)
  end
end
each_worker(function(id, name)
  wake(id)
  forget('hand:' .. id, 'idle:' .. name)
  call('HDEL', P .. 'control', 'drain:' .. id)
end)
forget(unpack(SINGLE))
call('HDEL', P .. 'control', 'pause')
queue_event('reset', (jobs + #quarantined) .. ' jobs were forgotten')
return jobs + #quarantined
