-- Begins the restoration of a backup whose jobs are staged.
--
-- ARGV: protocol, token, number of staged jobs, the other documents of the backup: each as JSON, and
-- after it what is to be built or removed, as JSON, or nothing. Returns 0 if the queue is not empty, 2
-- if the jobs are not staged (any more), else 1.

local token, count = ARGV[2], tonumber(ARGV[3])

local function at_least(counter, value)
  if tonumber(value) > tonumber(call('GET', P .. counter) or 0) then
    call('SET', P .. counter, string.format('%.0f', value))
  end
end

local restore_one = {}

function restore_one.queue(document)
  for _, counter in ipairs({'sequence', 'token', 'promotions'}) do
    at_least(counter, document[counter])
  end
  if document.pause then
    call('HSET', P .. 'control', 'pause', document.pause.since .. ' ' .. document.pause.reason)
  end
end

function restore_one.repository(document)
  call('HSET', P .. document.registry, document.name, document.seen)
end

function restore_one.request(document)
  call('ZADD', P .. 'requests', document.seen, document.id)
end

function restore_one.removal(document)
  local scope = scope_of(document.removal)
  local record = P .. 'removal:' .. document.id
  call('HSET', record, 'state', document.held and 'held' or 'waiting', 'scope', scope, 'body',
    document.text, 'attempt', document.attempt, 'submitted', document.submitted, 'request',
    document.request)
  if document.crashes then
    call('HSET', record, 'crashes', document.crashes)
  end
  if document.held then
    call('HSET', record, 'reason', document.held, 'names_all', document.names_all)
    call('ZADD', P .. 'held_removals', NOW, document.id)
  else
    call('RPUSH', P .. 'removals', document.id)
  end
  removal_event('restored', document.id, {state = 'waiting'})
end

function restore_one.group(document)
  call('SADD', P .. 'groups', document.name)
  for field, value in pairs(document.fields) do
    call('HSET', P .. 'group:' .. document.name, field, value)
  end
end

-- It holds up its group.
local function restore_membership(id, identity, group)
  call('ZADD', P .. 'failed_in:' .. group, id, id)
  call('HSET', P .. 'members:' .. group, identity, id)
  call('HSET', P .. 'member_of', identity, group)
end

function restore_one.job(document)
  local identity = scope_of(document.spec) .. '/' .. document.spec.pkgbase
  local id, fields = document.id, {'identity', identity, 'state', 'done',
    'class', document.spec.build_class, 'spec', document.text}
  for field, value in pairs(document.fields) do
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  call('HSET', P .. 'job:' .. id, unpack(fields))
  if document.state == 'quarantine' then
    call('HSET', P .. 'job:' .. id, 'quarantined', '1')
    call('ZADD', P .. 'quarantine', document.fields.finished, id)
    call('HSET', P .. 'quarantined', identity, id)
  end
  if document.fields.group then
    restore_membership(id, identity, document.fields.group)
  end
  call('HSET', P .. 'last', identity, id)
end

if call('EXISTS', P .. 'pending', P .. 'active', P .. 'removals', P .. 'held_removals',
  P .. 'quarantine', P .. 'groups') > 0 then
  forget_staged(token)
  return 0
elseif not is_staged(token, count) then
  return 2
end
for i = 4, #ARGV, 2 do
  local document = cjson.decode(ARGV[i])
  document.text = ARGV[i + 1]
  if document.kind == 'job' then
    document.spec = cjson.decode(document.text)
  elseif document.kind == 'removal' then
    document.removal = cjson.decode(document.text)
  end
  restore_one[document.kind](document)
end
begin_intake(token, count, 'kind', 'restore', 'step', 'index')
return 1
