-- Jobs as they are in a backup.

local KEPT = {'attempt', 'lost', 'request', 'submitted', 'started', 'worker', 'due', 'rank',
  'renewed', 'delivery', 'landed', 'reason', 'outcome', 'finished', 'failure', 'setback', 'crashes',
  'publish_after', 'group'}

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

-- Adds the jobs of a list of ids, each with the state after it.
local function add_jobs(list)
  for i = 1, #list, 2 do
    add_job(list[i], list[i + 1])
  end
end

-- Keeps the queue closed for a backup whose reader has to come again in time.
local function keep_closed()
  call('PEXPIRE', P .. 'intake', 5000)
end
