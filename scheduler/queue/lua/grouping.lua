-- What becomes of the members of rebuild groups.

-- Puts an end to what is staged and not to be published any more, because a newer job came.
local function supersede(id, job)
  end_job(id, job, OUTCOME.CANCELED_REQUEUE, 'a newer request took its place')
end

-- Holds `id`, which wants these names, for those of its group that failed before it came.
local function hold_for_failed(id, wants, group)
  local wanted = set_of(wants)
  for _, failed in ipairs(members_in('failed_in', group)) do
    local names = {}
    for _, name in ipairs((names_of(spec_of(failed)))) do
      names[#names + 1] = wanted[name] and name or nil
    end
    if #names > 0 then
      local job = call('HMGET', P .. 'job:' .. failed, 'identity', 'outcome')
      add_failed_dep(id, job[1], job[2] .. ' ' .. table.concat(names, ' '))
    end
  end
end

-- Makes the job the member that stands for its package.
local function join(id, identity, spec, wants, group)
  if call('SADD', P .. 'groups', group) == 1 then
    call('HSET', P .. 'group:' .. group, 'publish', spec.publish or 'together', 'opened', NOW)
    group_event(group, 'opened')
  end
  local former = call('HGET', P .. 'members:' .. group, identity)
  if former and former ~= id then
    forget_failed(group, former)
  end
  if not former or by_turn(former, id) then
    call('HSET', P .. 'members:' .. group, identity, id)
  end
  call('HSET', P .. 'member_of', identity, group)
  put_in('unbuilt', group, id)
  call('LREM', P .. 'complete', 0, group)
  skip_staged(id, wants, group)
  hold_for_failed(id, wants, group)
end

local function named_group(item)
  local name = item.spec.group
  if not name or name == '' then
    return nil
  end
  local group = scope_of(item.spec) .. '/' .. name
  -- A group that is over does not begin again with one of its members.
  local is_over = item.kind == 'retried' and call('EXISTS', P .. 'group:' .. group) == 0
  return not is_over and group or nil
end

-- Says of each item to which group it is to belong. What is in an open group stays there, and takes
-- along those with whom it is asked for.
local function assign_groups(items)
  local are_any = call('EXISTS', P .. 'member_of') == 1
  local taken_along = {}
  for _, item in ipairs(items) do
    local own = are_any and call('HGET', P .. 'member_of', item.identity) or nil
    local named = item.kind ~= 'restored' and named_group(item) or nil
    item.group = item.group or own or named
    if own and named then
      taken_along[named] = taken_along[named] or own
    end
  end
  for _, item in ipairs(items) do
    item.group = taken_along[item.group or ''] or item.group
  end
end

-- Tells whether an unbuilt member of the group waits for the pending job `id`, maybe for one that
-- waits for it.
local function is_waited_for(id, group)
  local seen, todo = {[id] = true}, {id}
  while #todo > 0 do
    for _, name in ipairs((names_of(spec_of(table.remove(todo))))) do
      for _, other in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
        if not seen[other] then
          seen[other] = true
          local job = call('HMGET', P .. 'job:' .. other, 'state', 'group')
          if is_pending_state(job[1]) then
            if job[2] == group then
              return true
            end
            todo[#todo + 1] = other
          end
        end
      end
    end
  end
  return false
end

local function pull_in(id, group)
  local spec = spec_of(id)
  local identity, record = call('HGET', P .. 'job:' .. id, 'identity'), P .. 'job:' .. id
  join(id, identity, spec, wants_of(spec), group)
  call('HSET', record, 'group', group, 'policy', policy_of(spec, group))
  recount(id)
  group_event(group, base_of(id) .. ' joined: it needs what is staged, and others of the group need it')
end

-- A job outside of the group that waits for a staged member, and that an unbuilt one waits for, would
-- keep the group from ever being published. It becomes a member.
local function pull_in_those_between(group, staged)
  for _, name in ipairs((names_of(spec_of(staged)))) do
    for _, id in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
      local job = call('HMGET', P .. 'job:' .. id, 'state', 'group')
      if is_pending_state(job[1]) and not job[2] and is_waited_for(id, group) then
        pull_in(id, group)
      end
    end
  end
end

local function pull_in_all()
  for _, group in ipairs(call('SMEMBERS', P .. 'groups')) do
    for _, staged in ipairs(members_in('staged_in', group)) do
      pull_in_those_between(group, staged)
    end
  end
end

-- The same, but only among what the job `id` waits for, itself included.
local function pull_in_from(id, group)
  local seen, todo = {[id] = true}, {id}
  while #todo > 0 do
    local one, waits = table.remove(todo), false
    for _, name in ipairs(wants_of(spec_of(one))) do
      for _, provider in ipairs(call('SMEMBERS', P .. 'prov:' .. name)) do
        local job = call('HMGET', P .. 'job:' .. provider, 'state', 'group')
        waits = waits or (job[1] == 'staged' and job[2] == group)
        if not seen[provider] and is_pending_state(job[1]) and job[2] ~= group then
          seen[provider] = true
          todo[#todo + 1] = provider
        end
      end
    end
    if waits and not call('HGET', P .. 'job:' .. one, 'group') then
      pull_in(one, group)
    end
  end
end

-- The same for few jobs that have just come, members or not.
local function pull_in_for(items)
  for _, group in ipairs(call('SMEMBERS', P .. 'groups')) do
    for _, item in ipairs(count_in('staged_in', group) > 0 and items or {}) do
      if item.group == group or is_waited_for(item.id, group) then
        pull_in_from(item.id, group)
      end
    end
  end
end

-- Lets the others of the group go on with a member that is staged now.
local function let_members_go(id, job)
  local found = {}
  for _, name in ipairs((names_of(spec_of(id)))) do
    for _, other in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
      if other ~= id and call('HGET', P .. 'job:' .. other, 'group') == job.group then
        found[other] = true
      end
    end
  end
  for _, other in ipairs(sorted_keys(found, by_turn)) do
    call('SADD', P .. 'skip:' .. other, id)
    call('SADD', P .. 'skippers', other)
    skipping = true
    remove_failed_dep(other, job.identity)
    note_failed_deps(other)
    recount(other)
  end
  pull_in_those_between(job.group, id)
end

-- Takes an unbuilt job out of its group. It goes on by itself.
local function leave_group(id, group)
  local record, spec = P .. 'job:' .. id, spec_of(id)
  take_from('unbuilt', group, id)
  call('HDEL', record, 'group')
  call('HSET', record, 'policy', spec.on_failure or 'proceed')
  for _, part in ipairs({'staged_in', 'publishing_in'}) do
    for _, staged in ipairs(members_in(part, group)) do
      call('SREM', P .. 'skip:' .. id, staged)
    end
  end
  local identity = call('HGET', record, 'identity')
  if call('HGET', P .. 'members:' .. group, identity) == id then
    call('HDEL', P .. 'members:' .. group, identity)
    call('HDEL', P .. 'member_of', identity)
  end
  recount(id)
  note_failed_deps(id)
end

-- A package that is removed keeps nobody waiting.
local function forget_member(identity)
  local group = call('HGET', P .. 'member_of', identity)
  local id = group and call('HGET', P .. 'members:' .. group, identity)
  if not id then
    return
  elseif is_in('failed_in', group, id) then
    forget_failed(group, id)
    call('HDEL', P .. 'members:' .. group, identity)
    call('HDEL', P .. 'member_of', identity)
  elseif is_in('unbuilt', group, id) then
    leave_group(id, group)
  end
  review(group)
end
