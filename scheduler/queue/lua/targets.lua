-- What a target means: the id of a job, or the identity of a package.

local function is_identity(target)
  return string.find(target, '/', 1, true) ~= nil
end

-- Returns the ids of the jobs of `target` that have not ended.
local function unfinished_of(target)
  local ids = {}
  if not is_identity(target) then
    local state = call('HGET', P .. 'job:' .. target, 'state')
    return state and state ~= 'done' and {target} or {}
  end
  for _, mapping in ipairs({'pending', 'active'}) do
    ids[#ids + 1] = call('HGET', P .. mapping, target) or nil
  end
  return ids
end

local function pending_of(target)
  if is_identity(target) then
    return call('HGET', P .. 'pending', target) or nil
  end
  return is_pending_state(call('HGET', P .. 'job:' .. target, 'state')) and target or nil
end

-- Returns the newest job of `target` that ended, if its details are still known.
local function ended_of(target)
  local id = is_identity(target) and call('HGET', P .. 'last', target) or target
  return call('HGET', P .. 'job:' .. id, 'state') == 'done' and id or nil
end

local answers, position = {}, 0

-- Says what became of the target in hand: its position, whether it was done, id, identity, reason.
local function answer(done, id, reason)
  local identity = id and call('HGET', P .. 'job:' .. id, 'identity') or ''
  for _, value in ipairs({tostring(position), done and '1' or '0', id or '0', identity or '',
      reason or ''}) do
    answers[#answers + 1] = value
  end
end

-- Calls `act` with each target, the first of which is ARGV[first]. Returns all answers.
local function each_target(first, act)
  for i = first, #ARGV do
    position = i - first + 1
    act(ARGV[i])
  end
  return answers
end
