-- ARGV: request id, number of removals, the removals as JSON, the jobs as JSON (one per identity).
-- Returns whether the request is known, then the ids of jobs, replaced jobs, successors, removals
-- and canceled jobs, each joined by commas.

local REQUEST_KEPT = 90 * 24 * 3600

local request, removal_count = ARGV[1], tonumber(ARGV[2])
local canceled, removals = {}, {}

local function next_id()
  return string.format('%d', call('INCR', P .. 'sequence'))
end

local function cancel(identity)
  local reason = 'request ' .. request .. ' removes the package'
  local pending = call('HGET', P .. 'pending', identity)
  if pending then
    retire(pending, OUTCOME.CANCELED, reason)
    canceled[#canceled + 1] = pending
  end
  local active = call('HGET', P .. 'active', identity)
  if not active then
    return
  end
  canceled[#canceled + 1] = active
  local job = describe(active)
  if job.state == 'landed' then
    retire(active, OUTCOME.CANCELED, reason)
  else
    call('HSET', P .. 'job:' .. active, 'cancel', '1')
    job_event('cancel', active, job, {state = job.state, reason = reason})
  end
end

local function cancel_all_but(scope, keep)
  local kept, seen = {}, {}
  for _, base in ipairs(keep) do
    kept[scope .. '/' .. base] = true
  end
  for _, mapping in ipairs({'pending', 'active'}) do
    for _, identity in ipairs(call('HKEYS', P .. mapping)) do
      local in_scope = string.sub(identity, 1, #scope + 1) == scope .. '/'
      if in_scope and not kept[identity] and not seen[identity] then
        seen[identity] = true
        cancel(identity)
      end
    end
  end
end

local function submit_removal(text)
  local removal, id = cjson.decode(text), next_id()
  local scope = scope_of(removal)
  call('HSET', P .. 'removal:' .. id, 'state', 'waiting', 'scope', scope, 'body', text,
    'attempt', '0', 'submitted', NOW, 'request', request)
  call('RPUSH', P .. 'removals', id)
  removals[#removals + 1] = id
  event('removal', id, {identity = scope, state = 'waiting', request = request, submitted = NOW})
  if #removal.keep > 0 then
    cancel_all_but(scope, removal.keep)
  end
  for _, base in ipairs(removal.remove) do
    cancel(scope .. '/' .. base)
  end
end

local function lookup(mapping, identities)
  local found = {}
  for first = 1, #identities, CHUNK do
    local last = math.min(first + CHUNK - 1, #identities)
    local ids = call('HMGET', P .. mapping, unpack(identities, first, last))
    for i = 1, last - first + 1 do
      found[identities[first + i - 1]] = ids[i] or nil
    end
  end
  return found
end

-- Reads the jobs and gives each its id: that of the pending job of its identity, or a new one.
local function read_jobs(first)
  local items, identities, fresh = {}, {}, 0
  for i = first, #ARGV do
    local spec = cjson.decode(ARGV[i])
    local item = {text = ARGV[i], spec = spec, identity = scope_of(spec) .. '/' .. spec.pkgbase}
    item.names, item.wants = names_of(spec), wants_of(spec)
    items[#items + 1] = item
    identities[#identities + 1] = item.identity
  end
  local pending, active = lookup('pending', identities), lookup('active', identities)
  for _, item in ipairs(items) do
    item.id = pending[item.identity]
    item.replaces = item.id ~= nil
    item.succeeds = active[item.identity] ~= nil
    fresh = fresh + (item.replaces and 0 or 1)
  end
  local id = fresh > 0 and call('INCRBY', P .. 'sequence', fresh) - fresh or 0
  for _, item in ipairs(items) do
    if not item.replaces then
      id = id + 1
      item.id = string.format('%d', id)
    end
  end
  return items
end

-- Those that went before the job, to break a cycle, look anew at whether they have to wait.
local function stop_skipping(id, seeds)
  if not skipping then
    return
  end
  forget_skips(id)
  local waiting = call('SMEMBERS', P .. 'skippers')
  table.sort(waiting, by_turn)
  for _, skipper in ipairs(waiting) do
    if call('SREM', P .. 'skip:' .. skipper, id) == 1 then
      recount(skipper)
      seeds[#seeds + 1] = skipper
    end
  end
end

local function same(a, b)
  return table.concat(a, ' ') == table.concat(b, ' ')
end

-- Takes back what the pending job said before it was replaced.
local function forget_former(item, seeds)
  local former = spec_of(item.id)
  local names, wants = names_of(former), wants_of(former)
  item.same_edges = same(names, item.names) and same(wants, item.wants)
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
      table.insert(ids[name], item.id)
    end
  end
  return order, ids
end

-- Returns the names that somebody wants or provides, as far as that is known without asking.
local function index(items)
  local names, providers = group(items, 'names')
  for _, name in ipairs(names) do
    local target = P .. 'prov:' .. name
    local before = call('SCARD', target)
    call_in_chunks('SADD', target, providers[name])
    name_changed(name, before == 0 and 1 or 0)
  end
  local wanted, wanters = group(items, 'wants')
  for _, name in ipairs(wanted) do
    call_in_chunks('SADD', P .. 'want:' .. name, wanters[name])
  end
  return wanters, providers
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

local function record(item)
  local target, spec = P .. 'job:' .. item.id, item.spec
  changed[item.id] = (item.replaces or item.need == 0) or nil
  call('SET', P .. 'spec:' .. item.id, item.text)
  if item.replaces then
    call('HSET', target, 'class', spec.build_class, 'request', request, 'need', item.need)
    call('HDEL', target, 'caution')
    local job = describe(item.id)
    job_event('replaced', item.id, job, {state = job.state, reason = spec.reason})
    return
  end
  local state = item.need == 0 and 'ready' or 'waiting'
  call('HSET', target, 'identity', item.identity, 'state', state, 'class', spec.build_class,
    'need', item.need, 'request', request, 'submitted', NOW)
  event('submitted', item.id, {identity = item.identity, state = state, class = spec.build_class,
    reason = spec.reason, request = request, submitted = NOW})
end

local function line_up(items)
  local pending, waiting = {}, {}
  for _, item in ipairs(items) do
    if not item.replaces then
      pending[#pending + 1] = item.identity
      pending[#pending + 1] = item.id
      if item.need > 0 then
        waiting[#waiting + 1] = item.id
        waiting[#waiting + 1] = item.id
      end
    end
  end
  call_in_chunks('HSET', P .. 'pending', pending)
  call_in_chunks('ZADD', P .. 'waiting', waiting)
end

-- Only a job that waits, and for which somebody waits, can have closed a cycle.
local function may_close_cycle(item, wanted)
  if item.need == 0 or item.same_edges then
    return false
  end
  for _, name in ipairs(item.names) do
    if wanted[name] or call('EXISTS', P .. 'want:' .. name) == 1 then
      return true
    end
  end
  return false
end

local function ids_of(items, field)
  local ids = {}
  for _, item in ipairs(items) do
    if field == nil or item[field] then
      ids[#ids + 1] = item.id
    end
  end
  return table.concat(ids, ',')
end

local function submit_jobs(first)
  local items, seeds = read_jobs(first), {}
  for _, item in ipairs(items) do
    if item.replaces then
      forget_former(item, seeds)
    end
  end
  local wanted, provided = index(items)
  for _, item in ipairs(items) do
    item.need = need_of(item, provided)
    record(item)
  end
  line_up(items)
  for _, item in ipairs(items) do
    is_pending[item.id] = true
    edges_of[item.id] = job_edges(item.id, item.wants)
    if may_close_cycle(item, wanted) then
      seeds[#seeds + 1] = item.id
    end
  end
  break_cycles(seeds)
  return items
end

local taken = P .. 'request:' .. request
if call('EXISTS', taken) == 1 then
  call('EXPIRE', taken, REQUEST_KEPT)
  return {1}
end
call('SET', taken, NOW, 'EX', REQUEST_KEPT)
for i = 3, 2 + removal_count do
  submit_removal(ARGV[i])
end
local items = submit_jobs(3 + removal_count)
settle()
if removal_count > 0 then
  wake_runners()
end
return {0, ids_of(items), ids_of(items, 'replaces'), ids_of(items, 'succeeds'),
  table.concat(removals, ','), table.concat(canceled, ',')}
