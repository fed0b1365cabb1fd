-- Dependency cycles: finding them, and letting their oldest member go first.
--
-- The graph has two kinds of nodes, pending jobs (their id) and names (with their scope): a job
-- leads to the names it wants, a name to the jobs that provide it. So it is no larger than what
-- the jobs say about themselves, however many provide the same name. A job that is held because
-- another failed leads to the next job of that one's identity as well.

local edges_of = {}
local is_pending = {}

local function only_pending(ids)
  local result = {}
  for _, id in ipairs(ids) do
    if is_pending[id] == nil then
      local state = call('HGET', P .. 'job:' .. id, 'state')
      is_pending[id] = state == 'waiting' or state == 'ready'
    end
    if is_pending[id] then
      result[#result + 1] = id
    end
  end
  return result
end

local function hold_edges(id, edges)
  if call('HGET', P .. 'job:' .. id, 'policy') == 'hold' then
    for _, identity in ipairs(lacked_by(id)) do
      edges[#edges + 1] = call('HGET', P .. 'pending', identity) or nil
    end
  end
end

local function job_edges(id, wants)
  local seen, edges = skipped_by(id), {}
  if seen then
    for _, name in ipairs(wants) do
      for _, provider in ipairs(only_pending(call('SMEMBERS', P .. 'prov:' .. name))) do
        if not seen[provider] then
          seen[provider] = true
          edges[#edges + 1] = provider
        end
      end
    end
  else
    for i, name in ipairs(wants) do
      edges[i] = name
    end
  end
  hold_edges(id, edges)
  return edges
end

local function is_name(node)
  return string.find(node, '/', 1, true) ~= nil
end

local function edges(node)
  local known = edges_of[node]
  if not known then
    if is_name(node) then
      known = only_pending(call('SMEMBERS', P .. 'prov:' .. node))
    else
      known = job_edges(node, wants_of(spec_of(node)))
    end
    edges_of[node] = known
  end
  return known
end

-- Tarjan's algorithm, without recursion: chains may be longer than Lua's stack is deep.
local function components_from(seeds)
  local index, low, on_stack, stack, counter, found = {}, {}, {}, {}, 0, {}

  local function enter(node, path)
    counter = counter + 1
    index[node], low[node] = counter, counter
    stack[#stack + 1] = node
    on_stack[node] = true
    path[#path + 1] = {node = node, edges = edges(node), at = 0}
  end

  local function leave(node)
    if low[node] ~= index[node] then
      return
    end
    local component = {}
    repeat
      local member = table.remove(stack)
      on_stack[member] = nil
      component[#component + 1] = member
    until member == node
    if #component > 1 then
      found[#found + 1] = component
    end
  end

  local function walk(root)
    local path = {}
    enter(root, path)
    while #path > 0 do
      local step = path[#path]
      step.at = step.at + 1
      local target = step.edges[step.at]
      if not target then
        table.remove(path)
        leave(step.node)
        if #path > 0 then
          local above = path[#path].node
          low[above] = math.min(low[above], low[step.node])
        end
      elseif not index[target] then
        enter(target, path)
      elseif on_stack[target] then
        low[step.node] = math.min(low[step.node], index[target])
      end
    end
  end

  for _, seed in ipairs(seeds) do
    if not index[seed] then
      walk(seed)
    end
  end
  return found
end

local function skip(id, others)
  table.sort(others, by_turn)
  call_in_chunks('SADD', P .. 'skip:' .. id, others)
  call('SADD', P .. 'skippers', id)
  skipping = true
  edges_of[id] = nil
  recount(id)
  local job, shown = describe(id), {}
  for i = 1, math.min(#others, 5) do
    shown[i] = call('HGET', P .. 'job:' .. others[i], 'identity')
  end
  if #others > 5 then
    shown[6] = 'and ' .. (#others - 5) .. ' more'
  end
  job_event('cycle', id, job, {state = job.state, reason = 'goes before ' ..
    table.concat(shown, ', ') .. ', which it depends on and which depend on it'})
end

-- Plays the order through. Where nobody of the cycle can go, its oldest job that is left goes
-- without waiting for those that are left.
local function resolve(component)
  local inside, jobs = set_of(component), {}
  local left, waiting_for, gone, free = {}, {}, {}, {}
  for _, node in ipairs(component) do
    left[node] = 0
    if not is_name(node) then
      jobs[#jobs + 1] = node
    end
    for _, target in ipairs(edges(node)) do
      if inside[target] then
        left[node] = left[node] + 1
        waiting_for[target] = waiting_for[target] or {}
        table.insert(waiting_for[target], node)
      end
    end
  end
  table.sort(jobs, by_turn)

  local function go(node)
    gone[node] = true
    for _, waiter in ipairs(waiting_for[node] or {}) do
      left[waiter] = left[waiter] - 1
      if left[waiter] == 0 and not gone[waiter] then
        if is_name(waiter) then
          go(waiter)
        else
          free[#free + 1] = waiter
        end
      end
    end
  end

  local function those_left(id)
    local seen, others = {}, {}
    for _, target in ipairs(edges(id)) do
      for _, other in ipairs(is_name(target) and edges(target) or {target}) do
        if inside[other] and not gone[other] and not seen[other] then
          seen[other] = true
          others[#others + 1] = other
        end
      end
    end
    return others
  end

  local oldest = 1
  while oldest <= #jobs do
    if #free > 0 then
      go(table.remove(free))
    elseif gone[jobs[oldest]] then
      oldest = oldest + 1
    else
      skip(jobs[oldest], those_left(jobs[oldest]))
      go(jobs[oldest])
    end
  end
end

-- Breaks every cycle that can be reached from `seeds`. settle() has to follow.
local function break_cycles(seeds)
  for _, component in ipairs(components_from(seeds)) do
    resolve(component)
  end
  edges_of, is_pending = {}, {} -- true only for as long as nothing else changes
end
