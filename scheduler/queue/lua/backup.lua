-- Changes nothing. Returns the documents of a backup as JSON.

local KEPT = {'attempt', 'lost', 'request', 'submitted', 'started', 'worker', 'due', 'rank',
  'renewed', 'delivery', 'landed', 'reason', 'outcome', 'finished', 'failure', 'setback', 'crashes',
  'publish_after'}

local documents = {}

local function add(document, extra)
  documents[#documents + 1] = string.sub(cjson.encode(document), 1, -2) .. (extra or '') .. '}'
end

local function add_job(id, state)
  local values, kept = call('HMGET', P .. 'job:' .. id, unpack(KEPT)), {}
  for i, field in ipairs(KEPT) do
    kept[field] = values[i] or nil
  end
  local document = {kind = 'job', id = id, state = state, fields = kept}
  local failed = call('HGETALL', P .. 'without:' .. id)
  for i = 1, #failed, 2 do
    document.without = document.without or {}
    document.without[failed[i]] = failed[i + 1]
  end
  add(document, ',"spec":' .. call('HGET', P .. 'job:' .. id, 'spec'))
end

local function add_active()
  local landed = call('LRANGE', P .. 'landed', 0, -1)
  local publishing = call('SMEMBERS', P .. 'publishing')
  table.sort(publishing, by_turn)
  for _, ids in ipairs({publishing, landed}) do
    for _, id in ipairs(ids) do
      add_job(id, 'landed')
    end
  end
  local active = call('HVALS', P .. 'active')
  table.sort(active, by_turn)
  for _, id in ipairs(active) do
    if call('HGET', P .. 'job:' .. id, 'state') == 'building' then
      add_job(id, 'building')
    end
  end
end

add({kind = 'queue', version = 1, protocol = call('HGET', P .. 'control', 'protocol') or '',
  time = NOW, sequence = call('GET', P .. 'sequence') or '0', token = call('GET', P .. 'token') or
  '0', promotions = call('GET', P .. 'promotions') or '0', pause = pause()})
for _, registry in ipairs({'targets', 'sources'}) do
  local known = call('HGETALL', P .. registry)
  for i = 1, #known, 2 do
    add({kind = 'repository', registry = registry, name = known[i], seen = known[i + 1]})
  end
end
local requests = call('ZRANGE', P .. 'requests', 0, -1, 'WITHSCORES')
for i = 1, #requests, 2 do
  add({kind = 'request', id = requests[i], seen = requests[i + 1]})
end
local function add_removal(id, held)
  local removal = call('HMGET', P .. 'removal:' .. id, 'request', 'submitted', 'attempt', 'body',
    'reason', 'names_all', 'crashes')
  add({kind = 'removal', id = id, request = removal[1], submitted = removal[2],
    attempt = removal[3], crashes = removal[7] or nil, held = held and removal[5] or nil,
    names_all = held and removal[6] or nil}, ',"removal":' .. removal[4])
end

for _, id in ipairs(call('ZRANGE', P .. 'held_removals', 0, -1)) do
  add_removal(id, true)
end
for _, id in ipairs(call('LRANGE', P .. 'removals', 0, -1)) do
  add_removal(id)
end
add_active()
local pending = call('HVALS', P .. 'pending')
table.sort(pending, by_turn)
for _, id in ipairs(pending) do
  add_job(id, 'pending')
end
for _, id in ipairs(call('ZRANGE', P .. 'quarantine', 0, -1)) do
  add_job(id, 'quarantine')
end
return documents
