-- Takes in the next part of what is being taken in. ARGV: how many jobs a part has at most. Returns
-- whether there is more to be done, and how many jobs it is about.

local JOBS_AT_ONCE, BYTES_AT_ONCE = tonumber(ARGV[1]), 200000
local ANSWER_KEPT = 600
local NEXT_STEP = {cancel = 'index', index = 'record', record = 'cycles', cycles = 'settle',
  settle = 'end'}

local intake = {}
do
  local fields = call('HGETALL', P .. 'intake')
  for i = 1, #fields, 2 do
    intake[fields[i]] = fields[i + 1]
  end
end
if not NEXT_STEP[intake.step] then
  return {0, 0}
end
call('HSET', P .. 'intake', 'touched', NOW)
-- To everybody else all of it happens at one time.
NOW = tonumber(intake.since)

local token, count, request = intake.token, tonumber(intake.count), intake.request or ''
local taken = key_of('taken', token)
local seeds = {}
local read, take = {}, {}

-- Of a submitted job that is in the indexes, `taken` has its id, and `r` behind it if it replaces a
-- pending job, `s` if it succeeds a running one; of a job that is refused it has the reason.
function read.submit(text, place)
  local id, marks = string.match(call('HGET', taken, place) or '', '^(%d+)(.*)$')
  if not id then
    return nil
  end
  local item = new_item(text, cjson.decode(text))
  item.id = id
  item.replaces = string.find(marks, 'r', 1, true) ~= nil
  item.succeeds = string.find(marks, 's', 1, true) ~= nil
  return item
end

function read.restore(text)
  return restored_item(text)
end

-- Reads a submitted job for the first time; whoever staged it may have staged anything.
local lacking = repository_check()
local function read_new(text, place)
  local readable, item = pcall(function() return new_item(text, cjson.decode(text)) end)
  local refusal = not readable and 'unreadable' or lacking(item.spec)
  if refusal then
    call('HSET', taken, place, refusal)
    return nil
  end
  item.place = place
  return item
end

-- Returns the next items of the step, and how much of it is done with them. The jobs that provide
-- come into the indexes before those that want; their turns are in the order that was asked for.
local function next_items()
  local at, first, size, items = tonumber(intake.at), tonumber(intake.at), 0, {}
  local is_first_look = intake.kind == 'submit' and intake.step ~= 'record'
  local reader = is_first_look and read_new or read[intake.kind]
  while at < count and at - first < JOBS_AT_ONCE and size < BYTES_AT_ONCE do
    at = at + 1
    local place = intake.step == 'index' and call('HGET', key_of('staged_order', token), at) or at
    local text = call('HGET', key_of('staged', token), place) or ''
    items[#items + 1] = reader(text, place)
    size = size + #text
  end
  return items, at
end

function take.cancel(items)
  call_in_chunks('RPUSH', key_of('canceled', token), cancel_running(items, request))
end

local function remember_taken(items)
  local values = {}
  for _, item in ipairs(items) do
    values[#values + 1] = item.place
    values[#values + 1] = item.id .. (item.replaces and 'r' or '') .. (item.succeeds and 's' or '')
  end
  call_in_chunks('HSET', taken, values)
end

function take.index(items)
  if intake.kind == 'restore' then
    for _, item in ipairs(items) do
      expect_restored(item)
    end
  else
    assign_ids(items, tonumber(intake.sequence))
  end
  prepare(items, seeds)
  index(items, seeds)
  if intake.kind == 'submit' then
    remember_taken(items)
  end
end

function take.record(items)
  if intake.kind == 'restore' then
    for _, item in ipairs(items) do
      complete_restored(item)
    end
  end
  record(items, request)
end

local function finish()
  call('DEL', P .. 'intake', P .. 'intake_seeds', P .. 'intake_changed')
  forget_staged(token)
  call('EXPIRE', taken, ANSWER_KEPT)
  call('EXPIRE', key_of('canceled', token), ANSWER_KEPT)
  wake_runners()
  if intake.kind == 'restore' then
    queue_event('restored', count .. ' jobs came back')
  end
end

local function settle_some()
  local ids = call('ZPOPMIN', P .. 'intake_changed', JOBS_AT_ONCE)
  for i = 1, #ids, 2 do
    changed[ids[i]] = true
  end
  return #ids / 2, #ids < 2 * JOBS_AT_ONCE
end

-- Cycles are broken, and jobs change places, when everything else is done.
local function put_off()
  call_in_chunks('RPUSH', P .. 'intake_seeds', seeds)
  local ids = {}
  for id in pairs(changed) do
    ids[#ids + 1] = id
    ids[#ids + 1] = id
  end
  call_in_chunks('ZADD', P .. 'intake_changed', ids)
  seeds, changed = {}, {}
end

-- Does a part of the step. Returns how many jobs it was about, and whether the step is done.
local function do_part()
  if intake.step == 'settle' then
    return settle_some()
  elseif intake.step == 'cycles' then
    local closing = call('LRANGE', P .. 'intake_seeds', 0, -1)
    pull_in_all()
    break_cycles(closing)
    put_off()
    return #closing, true
  end
  local items, at = next_items()
  take[intake.step](items)
  put_off()
  intake.at = at
  return #items, at == count
end

-- What is small goes on with the next step at once.
local handled, is_done = 0, nil
repeat
  local jobs
  jobs, is_done = do_part()
  handled = handled + jobs
  if is_done then
    intake.step, intake.at = NEXT_STEP[intake.step], 0
  end
until not is_done or intake.step == 'end' or handled >= JOBS_AT_ONCE / 4
if intake.step == 'end' then
  finish()
  return {0, count}
end
call('HSET', P .. 'intake', 'step', intake.step, 'at', intake.at)
return {1, count}
