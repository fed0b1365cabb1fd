-- Where a pending job is: ready, waiting for others, held because others failed, or delayed; and
-- the lists of the ready ones.

-- An entry is an id, which is its turn, or rank:id.
local function turn_of(entry)
  return tonumber(entry) or tonumber(string.match(entry, '^%d+'))
end

-- Returns the place of the first entry that comes after `turn` in the ready list `list`.
local function place_after(list, turn, length)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    if turn_of(call('LINDEX', list, middle)) > turn then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function merged(a, b)
  local result, i, j = {}, 1, 1
  while i <= #a or j <= #b do
    if j > #b or (i <= #a and turn_of(a[i]) <= turn_of(b[j])) then
      result[#result + 1] = a[i]
      i = i + 1
    else
      result[#result + 1] = b[j]
      j = j + 1
    end
  end
  return result
end

local function insert_each(list, entries, length)
  for added, entry in ipairs(entries) do
    local place = place_after(list, turn_of(entry), length + added - 1)
    local next_one = call('LINDEX', list, place)
    if next_one then
      call('LINSERT', list, 'BEFORE', next_one, entry)
    else
      call('RPUSH', list, entry)
    end
  end
end

local function merge_in(list, entries, length)
  local place = place_after(list, turn_of(entries[1]), length)
  local tail = call('LRANGE', list, place, -1)
  if place == 0 then
    call('DEL', list)
  else
    call('LTRIM', list, 0, place - 1)
  end
  call_in_chunks('RPUSH', list, merged(tail, entries))
end

-- Puts `entries`, which are in order, at their places in a ready list.
local function enlist(list, entries)
  local length = call('LLEN', list)
  local last = length > 0 and turn_of(call('LINDEX', list, -1)) or 0
  if last <= turn_of(entries[1]) then
    call_in_chunks('RPUSH', list, entries)
  elseif #entries <= 16 then
    insert_each(list, entries, length)
  else
    merge_in(list, entries, length)
  end
end

local function class_of(queued)
  return string.sub(queued, 7)
end

local offers = {} -- list -> entries in any order, that are to be put there

-- Puts all offers into the ready lists, and wakes who waits for them.
local function offer()
  local by_list, lists = offers, {}
  offers = {}
  for list in pairs(by_list) do
    lists[#lists + 1] = list
  end
  table.sort(lists)
  for _, list in ipairs(lists) do
    local class = class_of(list)
    if is_number(class) then
      call('ZADD', P .. 'classes', class, class)
    else
      call('SADD', P .. 'named', class)
    end
    table.sort(by_list[list], function(a, b) return turn_of(a) < turn_of(b) end)
    enlist(P .. list, by_list[list])
    for _ = 1, #by_list[list] do
      if not wake_worker_for(class) then
        break
      end
    end
  end
end

local function queue_for(job)
  return (job.rank and 'front:' or 'ready:') .. job.class
end

-- Has settle() put a ready job into its list, which is returned.
local function to_offer(id, job)
  local list = queue_for(job)
  offers[list] = offers[list] or {}
  table.insert(offers[list], job.rank and job.rank .. ':' .. id or id)
  return list
end

local function place_for(job)
  if job.policy == 'hold' and tonumber(job.lacks or 0) > 0 then
    return 'held'
  elseif tonumber(job.need or 0) > 0 then
    return 'waiting'
  elseif job.due and tonumber(job.due) > NOW then
    return 'delayed'
  end
  return 'ready'
end

-- Puts a pending job where it belongs, as far as it is not there. Ready ones have to be offered.
local function put(id, job)
  local place = place_for(job)
  if place == job.place then
    return place
  end
  if job.place and job.place ~= 'ready' then
    call('ZREM', P .. job.place, id)
  end
  if place ~= 'ready' then
    call('ZADD', P .. place, place == 'delayed' and job.due or id, id)
  end
  job.state = place == 'ready' and 'ready' or 'waiting'
  job.place = place
  call('HSET', P .. 'job:' .. id, 'state', job.state, 'place', place)
  return place
end

local function tell_move(id, job, was_ready, place)
  if place == 'ready' then
    job_event('ready', id, job, {state = 'ready', reason = job.caution})
  elseif place == 'held' then
    job_event('held', id, job, {state = 'waiting', reason = job.caution})
  elseif was_ready then
    job_event('blocked', id, job, {state = 'waiting'})
  end
end

-- Puts every changed job that is pending where it belongs now.
local function settle()
  local ids = {}
  for id in pairs(changed) do
    ids[#ids + 1] = id
  end
  table.sort(ids, by_turn)
  for _, id in ipairs(ids) do
    local job = describe(id)
    if job.state == 'waiting' or job.state == 'ready' then
      local before = job.place
      local place = put(id, job)
      if place ~= before then
        tell_move(id, job, before == 'ready', place)
      end
      if place == 'ready' and job.queued ~= queue_for(job) then
        call('HSET', P .. 'job:' .. id, 'queued', to_offer(id, job))
      end
    end
  end
  changed = {}
  offer()
end

-- Lets those go whose time has come, some at a time.
local function release_delayed()
  local due = call('ZRANGEBYSCORE', P .. 'delayed', '-inf', NOW, 'LIMIT', 0, 100)
  for _, id in ipairs(due) do
    changed[id] = true
  end
  if #due > 0 then
    settle()
  end
end
