-- ARGV: protocol, the documents of a backup as JSON. Returns how many jobs, jobs in quarantine,
-- removals and requests it had, and how many jobs had a newer one waiting; or nothing if the queue
-- is not empty.

local counts = {jobs = 0, quarantined = 0, removals = 0, requests = 0, superseded = 0}

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
  counts.requests = counts.requests + 1
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
  counts.removals = counts.removals + 1
end

local function keep_in_quarantine(document, identity)
  local id, fields = document.id, {'identity', identity, 'state', 'done', 'quarantined', '1',
    'class', document.spec.build_class, 'spec', document.text}
  for field, value in pairs(document.fields) do
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  call('HSET', P .. 'job:' .. id, unpack(fields))
  call('ZADD', P .. 'quarantine', document.fields.finished, id)
  call('HSET', P .. 'quarantined', identity, id)
  call('HSET', P .. 'last', identity, id)
  counts.quarantined = counts.quarantined + 1
end

local function item_of(document)
  local item = new_item(document.text, document.spec)
  local kept = document.fields
  item.id, item.kind, item.reason = document.id, 'restored', ''
  item.landed, item.kept, item.request = document.state == 'landed', kept, kept.request
  item.job = {attempt = kept.attempt, due = kept.due, rank = kept.rank, submitted = kept.submitted}
  if not item.landed then
    kept.delivery, kept.landed = nil, nil
  end
  kept.request, kept.submitted = nil, nil
  if kept.rank then
    call('ZADD', P .. 'promoted', kept.rank, item.id)
  end
  for identity, value in pairs(document.without or {}) do
    add_failed_dep(item.id, identity, value)
  end
  if document.without then
    item.job.lacks = #failed_deps(item.id)
    kept.lacks, kept.caution = item.job.lacks, caution_of(item.id)
    item.job.caution = kept.caution
  end
  if item.landed then
    call('RPUSH', P .. 'landed', item.id)
  end
  return item
end

-- Returns the items to be taken in: not the builds that a newer job waits for.
local function items_of(jobs)
  local pending, active, items = {}, {}, {}
  for _, document in ipairs(jobs) do
    document.identity = scope_of(document.spec) .. '/' .. document.spec.pkgbase
    local mapping = document.state == 'landed' and active or pending
    if document.state == 'pending' or document.state == 'landed' then
      mapping[document.identity] = document.id
    end
  end
  for _, document in ipairs(jobs) do
    if document.state == 'quarantine' then
      keep_in_quarantine(document, document.identity)
    elseif document.state == 'building' and pending[document.identity] then
      counts.superseded = counts.superseded + 1
    else
      local item = item_of(document)
      item.succeeds = not item.landed and active[item.identity] ~= nil
      items[#items + 1] = item
    end
  end
  return items
end

if call('EXISTS', P .. 'pending', P .. 'active', P .. 'removals', P .. 'held_removals',
  P .. 'quarantine') > 0 then
  return false
end
local jobs = {}
for i = 2, #ARGV, 2 do
  local document = cjson.decode(ARGV[i])
  document.text = ARGV[i + 1]
  if document.kind == 'job' then
    document.spec = cjson.decode(document.text)
    jobs[#jobs + 1] = document
  else
    document.removal = document.kind == 'removal' and cjson.decode(document.text) or nil
    restore_one[document.kind](document)
  end
end
local items = items_of(jobs)
admit(items, '')
wake_runners()
counts.jobs = #items
queue_event('restored', #items .. ' jobs came back')
return {counts.jobs, counts.quarantined, counts.removals, counts.requests, counts.superseded}
