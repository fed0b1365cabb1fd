-- Taking jobs in.
--
-- An item is a job to be taken in: its spec and the text of it, its identity, names and wants, its
-- id, whether it replaces a pending job or succeeds a running one, the fields of its hash that are
-- not those of a new job, and the kind of event that tells of it.

local function next_id()
  return string.format('%d', call('INCR', P .. 'sequence'))
end

local function new_item(text, spec)
  local item = {text = text, spec = spec, identity = scope_of(spec) .. '/' .. spec.pkgbase}
  local own
  item.names, own = names_of(spec)
  item.wants = wants_of(spec, own)
  return item
end

-- Returns the ids that `mapping` has for the identities of the items.
local function ids_in(mapping, items)
  local found = {}
  for first = 1, #items, CHUNK do
    local identities = {}
    for i = first, math.min(first + CHUNK - 1, #items) do
      identities[#identities + 1] = items[i].identity
    end
    for i, id in ipairs(call('HMGET', P .. mapping, unpack(identities))) do
      found[identities[i]] = id or nil
    end
  end
  return found
end

-- Whatever cycles the job was in are looked for anew.
local function stop_skipping(id, seeds)
  forget_skips(id)
  for _, skipper in ipairs(stop_being_skipped(id)) do
    seeds[#seeds + 1] = skipper
  end
end

-- A failed dependency is none any more when the job does not depend on it any more.
local function drop_failed_deps(item)
  local wanted = set_of(item.wants)
  local failed = call('HGETALL', P .. 'without:' .. item.id)
  for i = 1, #failed, 2 do
    local still = false
    for name in string.gmatch(failed[i + 1], ' ([^ ]+)') do
      still = still or wanted[name]
    end
    if not still then
      remove_failed_dep(item.id, failed[i])
    end
  end
end

local function are_equal(a, b)
  return table.concat(a, ' ') == table.concat(b, ' ')
end

-- Takes out of the indexes what the pending job said before it was replaced.
local function unindex_replaced(item, seeds)
  local former = spec_of(item.id)
  local names, own = names_of(former)
  local wants = wants_of(former, own)
  item.same_edges = are_equal(names, item.names) and are_equal(wants, item.wants)
    and former.on_failure == item.spec.on_failure
  if item.same_edges then
    return
  end
  local kept_names, kept_wants = set_of(item.names), set_of(item.wants)
  for _, name in ipairs(wants) do
    if not kept_wants[name] then
      call('SREM', P .. 'want:' .. name, item.id)
    end
  end
  for _, name in ipairs(names) do
    if not kept_names[name] then
      stop_providing(item.id, name)
    end
  end
  drop_failed_deps(item)
  stop_skipping(item.id, seeds)
end

local function group(items, field)
  local order, ids = {}, {}
  for _, item in ipairs(items) do
    for _, name in ipairs(item[field]) do
      if not ids[name] then
        ids[name] = {}
        order[#order + 1] = name
      end
      local same = ids[name]
      same[#same + 1] = item.id
    end
  end
  return order, ids
end

-- Whether a set `kind`:<name> of one of the names exists; `known` is what is known of them.
local function any_exists(kind, names, known)
  for _, name in ipairs(names) do
    if known[name] == nil then
      known[name] = call('EXISTS', P .. kind .. ':' .. name) == 1
    end
    if known[name] then
      return true
    end
  end
  return false
end

-- Only a job that waits, and for which somebody waits, can close a cycle.
local function closes_cycle(item, provided, wanted)
  if item.same_edges or item.landed then
    return false
  end
  local may_lack = item.replaces or item.without or item.group
  local lacks = may_lack and call('EXISTS', P .. 'without:' .. item.id) == 1
  return (lacks or any_exists('prov', item.wants, provided))
    and (any_exists('want', item.names, wanted)
      or call('EXISTS', P .. 'lacking:' .. item.identity) == 1)
end

-- Adds to `seeds` the items that close a cycle with those that came before them: of every new cycle
-- the last one. Where those that provide come before those that want, there are hardly any.
local function add_seeds(items, seeds)
  local provided, wanted = {}, {}
  for _, item in ipairs(items) do
    if closes_cycle(item, provided, wanted) then
      seeds[#seeds + 1] = item.id
    end
    for _, name in ipairs(item.names) do
      provided[name] = true
    end
    for _, name in ipairs(item.wants) do
      wanted[name] = true
    end
  end
end

-- The second step: from now on others wait for the items.
local function index(items, seeds)
  add_seeds(items, seeds)
  local names, providers = group(items, 'names')
  for _, name in ipairs(names) do
    local target = P .. 'prov:' .. name
    local before = call('EXISTS', target)
    call_in_chunks('SADD', target, providers[name])
    name_changed(name, before == 0 and 1 or 0)
  end
  local wanted, wanters = group(items, 'wants')
  for _, name in ipairs(wanted) do
    call_in_chunks('SADD', P .. 'want:' .. name, wanters[name])
  end
end

-- The same as count_need(), asking only once for each name.
local function need_of(item, provided)
  if is_skipper(item.id) then
    return count_need(item.id, item.wants, item.identity)
  end
  local need = item.succeeds and 1 or 0
  for _, name in ipairs(item.wants) do
    if provided[name] == nil then
      provided[name] = blocks(name)
    end
    if provided[name] then
      need = need + 1
    end
  end
  return need
end

-- Returns the group that the item has joined.
local function joined_group(item)
  local group = item.group or call('HGET', P .. 'member_of', item.identity)
  return group and is_in('unbuilt', group, item.id) and group or nil
end

-- Notes the group of a job, and what it means for it. Returns its policy.
local function record_group(item)
  local group = joined_group(item)
  local policy = policy_of(item.spec, group)
  if group then
    call('HSET', P .. 'job:' .. item.id, 'group', group, 'policy', policy)
  end
  return policy
end

local function record_new(item, request)
  local spec, job, target = item.spec, item.job, P .. 'job:' .. item.id
  job.class, job.identity, job.need = spec.build_class, item.identity, item.need
  job.policy, job.request = record_group(item), request
  job.submitted = job.submitted or NOW
  if item.group and call('EXISTS', P .. 'without:' .. item.id) == 1 then
    job.lacks, job.caution = #failed_deps(item.id), caution_of(item.id)
    call('HSET', target, 'lacks', job.lacks, 'caution', job.caution)
  end
  job.place = item.landed and 'landed' or place_for(job)
  job.state = (item.landed or job.place == 'ready') and job.place or 'waiting'
  call('HSET', target, 'identity', job.identity, 'state', job.state, 'place', job.place, 'class',
    job.class, 'need', job.need, 'policy', job.policy, 'request', request, 'submitted',
    job.submitted, 'queued', job.place == 'ready' and offer(item.id, job) or '', 'spec',
    item.text)
  for field, value in pairs(item.kept or {}) do
    call('HSET', target, field, value)
  end
  job.reason = item.reason or spec.reason
  event(item.kind or 'submitted', item.id, job)
end

local function record_replaced(item, request)
  local record = P .. 'job:' .. item.id
  call('HSET', record, 'class', item.spec.build_class, 'request', request, 'need', item.need,
    'policy', record_group(item), 'spec', item.text, 'renewed',
    call('GET', P .. 'sequence'))
  -- What was lost was the old content.
  call('HDEL', record, 'due', 'lost')
  note_failed_deps(item.id)
  local job = describe(item.id)
  job_event('replaced', item.id, job, {state = job.state, reason = item.spec.reason})
end

local function record_places(items)
  local pending, active, placed = {}, {}, {waiting = {}, held = {}, delayed = {}}
  for _, item in ipairs(items) do
    if not item.replaces then
      local mapping, place = item.landed and active or pending, placed[item.job.place]
      mapping[#mapping + 1] = item.identity
      mapping[#mapping + 1] = item.id
      if place then
        place[#place + 1] = item.job.place == 'delayed' and item.job.due or item.id
        place[#place + 1] = item.id
      end
    end
  end
  call_in_chunks('HSET', P .. 'pending', pending)
  call_in_chunks('HSET', P .. 'active', active)
  for _, place in ipairs({'waiting', 'held', 'delayed'}) do
    call_in_chunks('ZADD', P .. place, placed[place])
  end
end

local function remember_scopes(items)
  local scopes = {}
  for _, item in ipairs(items) do
    scopes[scope_of(item.spec)] = true
  end
  call_in_chunks('SADD', P .. 'scopes', sorted_keys(scopes))
end

-- The first step: what the jobs that are replaced said before counts no more.
local function prepare(items, seeds)
  remember_scopes(items)
  assign_groups(items)
  for _, item in ipairs(items) do
    if item.replaces then
      unindex_replaced(item, seeds)
    end
    if item.group then
      join(item.id, item.identity, item.spec, item.wants, item.group)
    end
    if item.supersedes then
      supersede(item.supersedes, describe(item.supersedes))
    end
  end
end

-- The third step, when all items of the request are in the indexes.
local function record(items, request)
  local provided = {}
  for _, item in ipairs(items) do
    item.need = need_of(item, provided)
    item.job = item.job or {}
    if item.replaces then
      record_replaced(item, request)
    else
      record_new(item, item.request or request)
    end
  end
  record_places(items)
end

-- Takes `items` in on behalf of `request`; each needs its id. What are too many for one run of a
-- script go the same steps in `proceed_intake`.
local function admit(items, request)
  local seeds = {}
  prepare(items, seeds)
  index(items, seeds)
  record(items, request)
  pull_in_for(items)
  break_cycles(seeds)
end
