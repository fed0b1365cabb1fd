-- ARGV: protocol, publish, partial or abandon, the group. Returns 1 if that was done, 0 if the group
-- has to wait for others, or nothing where there is no such group; then the members that were let go
-- or are waited for, by identity.

local wish, group = ARGV[2], ARGV[3]
local record, answer = P .. 'group:' .. group, {0}

local function name(id)
  answer[#answer + 1] = call('HGET', P .. 'job:' .. id, 'identity')
end

local function each_in(part, visit)
  for _, id in ipairs(members_in(part, group)) do
    visit(id)
  end
end

-- Lets everybody go who is not staged.
local function let_others_go()
  each_in('unbuilt', function(id)
    name(id)
    leave_group(id, group)
  end)
  each_in('failed_in', function(id)
    name(id)
    local identity = call('HGET', P .. 'job:' .. id, 'identity')
    forget_failed(group, id)
    call('HDEL', P .. 'members:' .. group, identity)
    call('HDEL', P .. 'member_of', identity)
  end)
end

local function give_up()
  local ids = {}
  for _, part in ipairs({'unbuilt', 'staged_in'}) do
    each_in(part, function(id) ids[#ids + 1] = id end)
  end
  -- Without the group, nobody in it is held by those that are canceled.
  let_others_go()
  each_in('staged_in', name)
  for _, id in ipairs(ids) do
    call('HDEL', P .. 'job:' .. id, 'group')
    call('ZREM', P .. 'staged_in:' .. group, id)
    cancel_job(id, 'its rebuild group was abandoned')
  end
end

if call('EXISTS', record) == 0 then
  return false
end
if wish == 'publish' and count_in('unbuilt', group) + count_in('failed_in', group) > 0 then
  each_in('unbuilt', name)
  each_in('failed_in', name)
  return answer
elseif count_in('publishing_in', group) > 0 and wish == 'abandon' then
  each_in('publishing_in', name)
  return answer
end
call('HDEL', record, 'trouble', 'crashes', 'publish_after')
if wish == 'partial' then
  let_others_go()
elseif wish == 'abandon' then
  give_up()
end
group_event(group, wish == 'abandon' and 'abandoned' or 'to be published on request',
  wish == 'abandon' and OUTCOME.CANCELED or nil)
review(group)
wake_runners()
answer[1] = 1
return answer
