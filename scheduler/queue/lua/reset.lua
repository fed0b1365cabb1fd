-- Forgets everything but what stays, a part at a time; the queue is closed until all is forgotten.
-- ARGV: how many jobs a part has at most. Returns whether there is more to be done, and how many jobs
-- it is about that had not ended or were in quarantine.
--
-- What stays: events, logs, known repositories, the protocol; and the counters of ids and tokens,
-- which must not come again, because somebody may still hold a claim.

local SINGLE = {'pending', 'active', 'last', 'scopes', 'waiting', 'held', 'delayed', 'promoted',
  'promotions', 'classes', 'named', 'skippers', 'cyclers', 'leases', 'landed', 'publishing', 'removals',
  'held_removals', 'workers', 'builds', 'seen', 'idle_until', 'idle', 'idle_runners', 'requests', 'recent',
  'quarantine', 'quarantined', 'groups', 'member_of', 'complete', 'intake', 'intake_seeds', 'intake_changed'}

local function forget(...)
  for _, key in ipairs({...}) do
    call('UNLINK', P .. key)
  end
end

local function forget_each(prefix, names)
  for _, name in ipairs(names) do
    forget(prefix .. name)
  end
end

local function forget_names(spec)
  local names, own = names_of(spec)
  forget_each('want:', wants_of(spec, own))
  forget_each('prov:', names)
end

-- Forgets a job that has not ended, and all it stands in.
local function forget_job(id)
  forget_names(spec_of(id))
  forget_each('lacking:', call('HKEYS', P .. 'without:' .. id))
  forget('skip:' .. id, 'without:' .. id, 'job:' .. id)
end

-- Forgets what is being taken in, also where that cannot go on. Returns how many jobs it were that
-- nothing else tells of yet.
local function forget_intake()
  local intake = call('HMGET', P .. 'intake', 'token', 'count', 'step', 'at')
  if not intake[2] then
    return 0
  end
  for _, text in ipairs(call('HVALS', key_of('staged', intake[1]))) do
    pcall(function() forget_names(cjson.decode(string.match(text, '[^\n]*$'))) end)
  end
  forget_staged(intake[1])
  if intake[3] == 'cycles' or intake[3] == 'settle' then
    return 0
  end
  return intake[2] - (intake[3] == 'record' and intake[4] or 0)
end

local function begin()
  local jobs = forget_intake() + call('HLEN', P .. 'pending') + call('HLEN', P .. 'active')
    + call('ZCARD', P .. 'quarantine')
  call('DEL', P .. 'intake')
  call('HSET', P .. 'intake', 'step', 'reset', 'jobs', jobs)
end

local left = tonumber(ARGV[1])

-- Forgets jobs that stand in `mapping`, as many as may be forgotten yet.
local function forget_some(mapping, forget_one)
  local fields = {}
  local found = left > 0 and call('HRANDFIELD', P .. mapping, left, 'WITHVALUES') or {}
  for i = 1, #found, 2 do
    forget_one(found[i + 1])
    fields[#fields + 1] = found[i]
  end
  call_in_chunks('HDEL', P .. mapping, fields)
  left = left - #fields
end

local function forget_groups()
  for _, group in ipairs(call('SMEMBERS', P .. 'groups')) do
    forget_each('job:', call('ZRANGE', P .. 'failed_in:' .. group, 0, -1))
    for _, kind in ipairs({'group', 'members', 'unbuilt', 'staged_in', 'publishing_in', 'failed_in'}) do
      forget(kind .. ':' .. group)
    end
  end
end

local function forget_rest()
  forget_groups()
  forget_each('job:', call('ZRANGE', P .. 'quarantine', 0, -1))
  forget_each('job:', call('LRANGE', P .. 'recent', 0, -1))
  forget_each('removal:', call('LRANGE', P .. 'removals', 0, -1))
  forget_each('removal:', call('ZRANGE', P .. 'held_removals', 0, -1))
  for _, classes in ipairs({call('ZRANGE', P .. 'classes', 0, -1), call('SMEMBERS', P .. 'named')}) do
    forget_each('ready:', classes)
    forget_each('front:', classes)
  end
  each_worker(function(id, name)
    wake(id)
    each_architecture(id, function(arch)
      forget(idle_for(arch), 'idle:' .. lane_of(arch, name))
    end)
    forget('hand:' .. id)
    call('HDEL', P .. 'control', 'drain:' .. id)
  end)
  forget_each('', SINGLE)
  call('HDEL', P .. 'control', 'pause')
end

if call('HGET', P .. 'intake', 'step') ~= 'reset' then
  begin()
end
call('HSET', P .. 'intake', 'touched', NOW)
local jobs = tonumber(call('HGET', P .. 'intake', 'jobs'))
forget_some('pending', forget_job)
forget_some('active', forget_job)
forget_some('last', function(id) forget('job:' .. id) end)
if left <= 0 then
  return {1, jobs}
end
forget_rest()
queue_event('reset', jobs .. ' jobs were forgotten')
return {0, jobs}
