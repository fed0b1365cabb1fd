-- What every script begins with; `scripts.py` says how it ends. KEYS[1] is the prefix of all keys.
--
--   sequence            counter: ids of jobs and removals, which are also their turns
--   token               counter: fencing tokens
--   promotions          counter: ranks of promoted jobs
--   control             hash: protocol, pause, workers that are to end
--   job:<id>            hash: where the job stands; `spec` is what is to be built, as JSON
--   removal:<id>        hash: a removal and where it stands
--   pending, active     hash: identity -> id of its pending and of its running job
--   last                hash: identity -> id of its newest job that ended
--   scopes              set: all scopes that ever had a job
--   waiting, held       zset: pending jobs that wait for others, or because others failed, by turn
--   delayed             zset: pending jobs that were lost and wait for their time, by that time
--   ready:<lane>        list: ready jobs, by turn; may hold entries that no longer hold true
--   front:<lane>        list: the same for promoted jobs, as rank:id, by rank
--   promoted            zset: promoted jobs that have not ended, by rank
--   classes, named      zset, set: the lanes of numeric classes that have ready jobs, by class, and
--                       those of text classes
--   prov:<scope>:<name> set: pending and running jobs that provide the name
--   want:<scope>:<name> set: pending and running jobs that depend on the name
--   skip:<id>           set: jobs that the job does not wait for: to break a cycle, or because they
--                       are staged in its group
--   skippers            set: the jobs that have such a set
--   cyclers             set: those of them that have it to break a cycle
--   without:<id>        hash: the failed dependencies of the job: identity -> outcome and names
--   lacking:<identity>  set: the jobs that have the identity there
--   leases              zset: id of what is held -> end of its lease
--   hand:<worker>       list: what the worker holds
--   landed              list: jobs to be published, oldest delivery first
--   publishing          set: jobs that are being published
--   groups              set: the rebuild groups that are open, see `groups`
--   member_of           hash: identity -> the group that the package belongs to
--   group:<group>       hash: how it is published, when it was opened, and where that stands
--   members:<group>     hash: identity -> id of its newest job
--   unbuilt:<group>, staged_in:<group>, publishing_in:<group>, failed_in:<group>
--                       zset: the members that are there, by turn
--   complete            list: groups of which all is staged, the first one first
--   removals            list: removals that are not finished, oldest first
--   held_removals       zset: removals that wait to be confirmed, by when they were held
--   workers, seen       hash, zset: worker or runner -> class and name, last heard of
--   idle_until          hash: waiting worker or runner -> until when it waits
--   builds              hash: worker -> the architectures it builds, where not only the usual one
--   idle, idle:<arch>/  zset: waiting workers by build class, of the usual and of other architectures
--   idle:<lane>         set: waiting workers of the name in the lane
--   idle_runners        set: waiting database runners
--   hint:<worker>       list: wakes the worker
--   requests            zset: the requests that were taken, by when they were last seen
--   intake              hash: what goes on a part at a time: a request or a backup is taken in, see
--                       `intake`, a backup is read, a reset; while it is there the queue is closed
--   intake_seeds        list: jobs that closed cycles on the way in
--   intake_changed      zset: jobs that have to change places when all is in
--   staged:<token>      hash: place -> a job, as JSON, before it is taken in
--   staged_order:<token> hash: n -> place of the job that comes n-th into the indexes
--   taken:<token>       hash: place -> what became of the job
--   canceled:<token>    list: running jobs that were asked to end
--   targets, sources    hash: repository -> when a service last said that it works for it
--   recent              list: finished jobs, newest first
--   quarantine          zset: jobs that were lost too often, by time
--   quarantined         hash: identity -> its job in quarantine
--   events              stream: every change
--
-- A scope is `target_repo/arch`, a group `target_repo/arch/name`. A lane is a class, with the
-- architecture before it where that is not the usual one: `9`, `aarch64/9`.

local P = KEYS[1]
local call = redis.call

local clock = call('TIME')
local NOW = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local EVENTS_KEPT = 100000
local DETAILS_KEPT = 7 * 24 * 3600
local CHUNK = 1000 -- below what Lua can pass as arguments

local function is_number(class)
  return string.find(class, '^%d+$') ~= nil
end

-- The lanes of this one are mere classes.
local USUAL_ARCH = 'x86_64'

-- A queue of these protocols has no groups, or no job that is shared by architectures: it is taken
-- over as it is.
local TAKEN_OVER = {['3'] = true, ['4'] = true}

-- Returns an error to answer with if the queue follows another protocol than `ours`. The first to
-- come decides.
local function other_protocol(ours, known)
  known = known or call('HGET', P .. 'control', 'protocol')
  if not known or (TAKEN_OVER[known] and tonumber(known) < tonumber(ours)) then
    call('HSET', P .. 'control', 'protocol', ours)
  elseif known ~= ours then
    return redis.error_reply('OTHERPROTOCOL ' .. known)
  end
end

-- Returns what to answer everybody while something goes on a part at a time. Where nobody has gone on
-- with it for a while, whoever asks is told the script that does.
local ABANDONED_AFTER = 1000

local function closed()
  local intake = call('HMGET', P .. 'intake', 'step', 'touched')
  local step, touched = intake[1], tonumber(intake[2] or 0)
  if not step then
    return nil
  elseif step == 'backup' or NOW - touched <= ABANDONED_AFTER then
    return redis.error_reply('CLOSED')
  end
  call('HSET', P .. 'intake', 'touched', NOW)
  return redis.error_reply('CLOSED ' .. (step == 'reset' and 'reset' or 'take_in'))
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

-- Runs a command that takes any number of arguments after its first ones.
local function call_in_chunks(command, target, arguments)
  if #arguments == 1 then
    call(command, target, arguments[1])
    return
  end
  for first = 1, #arguments, CHUNK do
    call(command, target, unpack(arguments, first, math.min(first + CHUNK - 1, #arguments)))
  end
end

-- The fields are the same in every event: Redis stores such streams compactly.
local function event(kind, id, e)
  call('XADD', P .. 'events', 'MAXLEN', '~', EVENTS_KEPT, '*',
    'kind', kind, 'job', id, 'identity', e.identity or '', 'state', e.state or '',
    'outcome', e.outcome or '', 'failure', e.failure or '', 'worker', e.worker or '',
    'attempt', e.attempt or '0', 'class', e.class or '', 'reason', e.reason or '', 'request', e.request or '',
    'submitted', e.submitted or '0', 'started', e.started or '0')
end

local DESCRIPTION = {'identity', 'state', 'owner', 'class', 'attempt', 'request', 'submitted',
  'started', 'cancel', 'lost', 'caution', 'token', 'outcome', 'delivery', 'need', 'queued',
  'place', 'policy', 'lacks', 'due', 'rank', 'group'}

-- Returns the fields of the job, and one more by itself if it is named.
local function describe(id, one_more)
  local values = call('HMGET', P .. 'job:' .. id, one_more or 'state', unpack(DESCRIPTION))
  local job = {}
  for i, field in ipairs(DESCRIPTION) do
    job[field] = values[i + 1] or nil
  end
  return job, values[1]
end

-- A change of the whole queue.
local function queue_event(kind, reason, worker)
  event(kind, '0', {reason = reason, worker = worker})
end

local function removal_event(kind, id, changes)
  local removal = call('HMGET', P .. 'removal:' .. id, 'scope', 'owner', 'attempt', 'request',
    'submitted')
  changes.identity, changes.worker, changes.attempt = removal[1], removal[2], removal[3]
  changes.request, changes.submitted = removal[4], removal[5]
  event(kind, id, changes)
end

local function job_event(kind, id, job, changes)
  changes.identity = job.identity
  changes.class = job.class
  changes.attempt = changes.attempt or job.attempt
  changes.request = job.request
  changes.submitted = job.submitted
  changes.started = changes.started or job.started
  changes.worker = changes.worker or job.owner
  event(kind, id, changes)
end

-- Hands a hint to the waiting worker or runner `id`. False when nobody waits under that id.
local function wake(id)
  local until_ = call('HGET', P .. 'idle_until', id)
  if not until_ then
    return false
  end
  call('HDEL', P .. 'idle_until', id)
  if tonumber(until_) < NOW then
    return false
  end
  call('LPUSH', P .. 'hint:' .. id, '1')
  call('PEXPIRE', P .. 'hint:' .. id, 60000)
  return true
end

local function lane_of(arch, class)
  return arch == USUAL_ARCH and class or arch .. '/' .. class
end

-- Returns architecture and class of a lane.
local function parts_of(lane)
  local arch, class = string.match(lane, '^([^/]*)/(.*)$')
  return arch or USUAL_ARCH, class or lane
end

local function idle_for(arch)
  return arch == USUAL_ARCH and 'idle' or 'idle:' .. arch .. '/'
end

-- Wakes one waiting worker that may build what is in `lane`; of several, one of the least class, so
-- that the bigger ones stay free for what only they can build.
local function wake_worker_for(lane)
  local arch, class = parts_of(lane)
  while true do
    local found
    if is_number(class) then
      found = call('ZRANGEBYSCORE', P .. idle_for(arch), class, '+inf', 'LIMIT', 0, 1)[1]
      if found then
        call('ZREM', P .. idle_for(arch), found)
      end
    else
      found = call('SPOP', P .. 'idle:' .. lane)
    end
    if not found then
      return false
    elseif wake(found) then
      return true
    end
  end
end

local function wake_runners()
  for _, runner in ipairs(call('SMEMBERS', P .. 'idle_runners')) do
    wake(runner)
    call('SREM', P .. 'idle_runners', runner)
  end
end

-- Remembers that `id` waits until `wait` milliseconds from now.
local function wait_for_hint(id, wait)
  call('HSET', P .. 'idle_until', id, NOW + wait + 1000)
end

-- Once a second is often enough: a write costs more than a look.
local function touch_worker(id, name, class, architectures)
  local seen = call('ZSCORE', P .. 'seen', id)
  if not seen or tonumber(seen) + 1000 < NOW then
    call('HSET', P .. 'workers', id, class .. ' ' .. name)
    if architectures and architectures ~= USUAL_ARCH then
      call('HSET', P .. 'builds', id, architectures)
    end
    call('ZADD', P .. 'seen', NOW, id)
  end
end

-- Calls `visit` with each architecture that a worker builds.
local function each_architecture(id, visit)
  for arch in string.gmatch(call('HGET', P .. 'builds', id) or USUAL_ARCH, '[^ ]+') do
    visit(arch)
  end
end

-- Tells whether `token` is that of the claim under which `record` is held.
local function holds(state, held_token, token)
  return held_token == token and (state == 'building' or state == 'publishing')
end

-- The further arguments are fields of the record, and their values.
local function grant_lease(record, id, owner, state, lease, ...)
  local token = call('INCR', P .. 'token')
  call('HSET', record, 'state', state, 'owner', owner, 'token', token, ...)
  call('ZADD', P .. 'leases', NOW + lease, id)
  call('RPUSH', P .. 'hand:' .. owner, id)
  return token
end

local function end_lease(id, owner)
  call('ZREM', P .. 'leases', id)
  if owner then
    call('LREM', P .. 'hand:' .. owner, 1, id)
  end
end

local function forget_worker(id)
  local name = string.match(call('HGET', P .. 'workers', id) or '', ' (.*)')
  each_architecture(id, function(arch)
    if name then
      call('SREM', P .. 'idle:' .. lane_of(arch, name), id)
    end
    call('ZREM', P .. idle_for(arch), id)
  end)
  call('SREM', P .. 'idle_runners', id)
  call('ZREM', P .. 'seen', id)
  call('HDEL', P .. 'workers', id)
  call('HDEL', P .. 'builds', id)
  call('HDEL', P .. 'idle_until', id)
  call('HDEL', P .. 'control', 'drain:' .. id)
  call('DEL', P .. 'hint:' .. id)
end

local function each_worker(visit)
  local known = call('HGETALL', P .. 'workers')
  for i = 1, #known, 2 do
    local class, name = string.match(known[i + 1], '^(%d+) (.*)$')
    visit(known[i], name, class)
  end
end

local function pause()
  local stored = call('HGET', P .. 'control', 'pause')
  if stored then
    local since, reason = string.match(stored, '^(%d+) (.*)$')
    return {since = since, reason = reason}
  end
end

-- Registers a worker or runner that asks for work. Returns whether the queue is paused, or what
-- to answer instead of work: an error, or {2} where it is to end.
local function check_in(protocol, id, name, class, architectures)
  local control = call('HMGET', P .. 'control', 'protocol', 'drain:' .. id, 'pause')
  local other = other_protocol(protocol, control[1])
  if other then
    return nil, other
  elseif control[2] then
    forget_worker(id)
    queue_event('drain', 'it was told to end', id)
    return nil, {2}
  end
  call('DEL', P .. 'hint:' .. id)
  touch_worker(id, name, class, architectures)
  return control[3]
end
