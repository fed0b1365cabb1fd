-- Where a pending job is: ready, waiting for others, held because others failed, or delayed; and
-- the lists of the ready ones. A script that has this part ends with settled().

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

local offers = {} -- list -> entries in any order, that are to be put there

local function sorted_keys(map, order)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, order)
  return keys
end

-- Puts all offers into the ready lists, and wakes who waits for them.
local function enqueue_offers()
  local by_list = offers
  offers = {}
  for _, list in ipairs(sorted_keys(by_list)) do
    local lane = lane_in(list)
    local _, class = parts_of(lane)
    if is_number(class) then
      call('ZADD', P .. 'classes', class, lane)
    else
      call('SADD', P .. 'named', lane)
    end
    table.sort(by_list[list], function(a, b) return turn_of(a) < turn_of(b) end)
    enlist(P .. list, by_list[list])
    for _ = 1, #by_list[list] do
      if not wake_worker_for(lane) then
        break
      end
    end
  end
end

local function queue_for(job)
  local arch = string.match(job.identity, '^[^/]*/([^/]*)/')
  return (job.rank and 'front:' or 'ready:') .. lane_of(arch or USUAL_ARCH, job.class)
end

-- Has a ready job put into its list, which is returned, when the script ends.
local function offer(id, job)
  local list = queue_for(job)
  offers[list] = offers[list] or {}
  table.insert(offers[list], job.rank and job.rank .. ':' .. id or id)
  return list
end

local function place_for(job)
  if (job.policy == 'hold' or job.policy == 'group') and tonumber(job.lacks or 0) > 0 then
    return 'held'
  elseif tonumber(job.need or 0) > 0 then
    return 'waiting'
  elseif job.due and tonumber(job.due) > NOW then
    return 'delayed'
  end
  return 'ready'
end

-- Puts a pending job where it belongs, as far as it is not there. Ready ones have to be offered.
local function move(id, job)
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

local function move_event(id, job, was_ready)
  if job.place == 'ready' or job.place == 'held' then
    job_event(job.place, id, job, {state = job.state, reason = job.caution})
  elseif was_ready then
    job_event('blocked', id, job, {state = 'waiting'})
  end
end

-- Puts every changed job that is pending where it belongs now.
local function settle()
  for _, id in ipairs(sorted_keys(changed, by_turn)) do
    local job = describe(id)
    if is_pending_state(job.state) then
      local before = job.place
      if move(id, job) ~= before then
        move_event(id, job, before == 'ready')
      end
      if job.place == 'ready' and job.queued ~= queue_for(job) then
        call('HSET', P .. 'job:' .. id, 'queued', offer(id, job))
      end
    end
  end
  changed = {}
  enqueue_offers()
end

-- The end of every script that has this part, see `scripts.py`.
local function settled(answer)
  settle()
  return answer
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
