-- Rebuild groups: jobs that are built one after another and published in one step.
--
-- A member is unbuilt, staged, being published or failed. When it is staged, the others of its group
-- go on with it; for everybody else it is there once the group is published. A member that failed
-- holds the group, unless that is published in part.
--
-- A package belongs to one group at a time, whoever asks for it: its newest job is the member.

local MEMBER_PARTS = {'unbuilt', 'staged_in', 'publishing_in', 'failed_in'}

local function members_in(part, group)
  return call('ZRANGE', P .. part .. ':' .. group, 0, -1)
end

local function count_in(part, group)
  return call('ZCARD', P .. part .. ':' .. group)
end

local function is_in(part, group, id)
  return call('ZSCORE', P .. part .. ':' .. group, id) and true
end

local function put_in(part, group, id)
  call('ZADD', P .. part .. ':' .. group, id, id)
end

local function take_from(part, group, id)
  return call('ZREM', P .. part .. ':' .. group, id) == 1
end

-- Returns the identity of a job, without where it goes to.
local function base_of(id)
  return string.match(call('HGET', P .. 'job:' .. id, 'identity') or '', '[^/]*$')
end

local function group_event(group, reason, outcome)
  event('group', '0', {identity = group, reason = reason, outcome = outcome})
end

-- What a member does when another one fails is not for its request to say: it would be built against
-- what is to be replaced.
local function policy_of(spec, group)
  local alone = not group or spec.on_failure == 'hold'
    or call('HGET', P .. 'group:' .. group, 'publish') == 'partial'
  return alone and spec.on_failure or 'group'
end

local function forget_failed(group, id)
  if take_from('failed_in', group, id) then
    call('HDEL', P .. 'job:' .. id, 'group')
    if call('HEXISTS', P .. 'job:' .. id, 'quarantined') == 0 then
      call('EXPIRE', P .. 'job:' .. id, DETAILS_KEPT)
    end
  end
end

local function close_group(group, reason, outcome)
  for _, id in ipairs(members_in('failed_in', group)) do
    forget_failed(group, id)
  end
  for _, identity in ipairs(call('HKEYS', P .. 'members:' .. group)) do
    call('HDEL', P .. 'member_of', identity)
  end
  for _, part in ipairs(MEMBER_PARTS) do
    call('UNLINK', P .. part .. ':' .. group)
  end
  call('UNLINK', P .. 'group:' .. group, P .. 'members:' .. group)
  call('SREM', P .. 'groups', group)
  call('LREM', P .. 'complete', 0, group)
  group_event(group, reason, outcome)
end

-- Has the group published if there is nothing to wait for, and closes it if there is nobody left.
local function review(group)
  local publish = call('HGET', P .. 'group:' .. group, 'publish')
  if not publish then
    return
  end
  local failed, staged = count_in('failed_in', group), count_in('staged_in', group)
  if count_in('unbuilt', group) + count_in('publishing_in', group) > 0
      or (failed > 0 and publish ~= 'partial') then
    call('LREM', P .. 'complete', 0, group)
  elseif staged == 0 then
    local published = call('HGET', P .. 'group:' .. group, 'published')
    close_group(group, published and 'published: ' .. published .. ' jobs' or 'nothing is left of it',
      published and '0' or '')
  elseif not call('LPOS', P .. 'complete', group) then
    call('RPUSH', P .. 'complete', group)
    group_event(group, 'to be published: ' .. staged .. ' jobs are staged')
    wake_runners()
  end
end

-- What ended without success stays a member, and is kept for as long as the group is.
-- Returns whether it is.
local function end_membership(id, job, is_trouble, reason)
  local group = job.group
  if take_from('publishing_in', group, id) and not is_trouble then
    call('HINCRBY', P .. 'group:' .. group, 'published', 1)
  end
  take_from('unbuilt', group, id)
  take_from('staged_in', group, id)
  local stays = is_trouble and call('HGET', P .. 'members:' .. group, job.identity) == id
  if stays then
    put_in('failed_in', group, id)
    if call('HGET', P .. 'group:' .. group, 'publish') ~= 'partial' then
      group_event(group, 'held up by ' .. base_of(id) .. ': ' .. (reason or ''))
    end
  else
    if call('HGET', P .. 'members:' .. group, job.identity) == id then
      call('HDEL', P .. 'members:' .. group, job.identity)
      call('HDEL', P .. 'member_of', job.identity)
    end
    call('HDEL', P .. 'job:' .. id, 'group')
  end
  review(group)
  return stays
end

-- Lets `id`, which wants these names, go on with what is staged in its group.
local function skip_staged(id, wants, group)
  if count_in('staged_in', group) + count_in('publishing_in', group) == 0 then
    return
  end
  for _, name in ipairs(wants) do
    for _, provider in ipairs(call('SMEMBERS', P .. 'prov:' .. name)) do
      if is_in('staged_in', group, provider) or is_in('publishing_in', group, provider) then
        call('SADD', P .. 'skip:' .. id, provider)
        call('SADD', P .. 'skippers', id)
        skipping = true
      end
    end
  end
end
