-- Dependency cycles: finding them, and letting their oldest member go first.
--
-- The graph has two kinds of nodes, pending jobs (their id) and names (with their scope): a job
-- leads to the names it wants, a name to the jobs that provide it. So it is no larger than what
-- the jobs say about themselves, however many provide the same name. A job that is held because
-- another failed leads to the next job of that one's identity as well.

-- What is known of the graph, true only for as long as nothing else changes.
local function new_graph()
  return {edges = {}, pending = {}}
end

local function only_pending(graph, ids)
  local result = {}
  for _, id in ipairs(ids) do
    if graph.pending[id] == nil then
      graph.pending[id] = is_pending_state(call('HGET', P .. 'job:' .. id, 'state'))
    end
    if graph.pending[id] then
      result[#result + 1] = id
    end
  end
  return result
end

local function job_edges(graph, id, wants)
  local seen, edges = skipped_by(id), {}
  for _, name in ipairs(wants) do
    local providers = seen and only_pending(graph, call('SMEMBERS', P .. 'prov:' .. name))
    for _, target in ipairs(providers or {name}) do
      if not (seen and seen[target]) then
        edges[#edges + 1] = target
      end
      if seen then
        seen[target] = true
      end
    end
  end
  local policy = call('HGET', P .. 'job:' .. id, 'policy')
  if policy == 'hold' or policy == 'group' then
    for _, identity in ipairs(failed_deps(id)) do
      edges[#edges + 1] = call('HGET', P .. 'pending', identity) or nil
    end
  end
  return edges
end

local function is_name(node)
  return string.find(node, '/', 1, true) ~= nil
end

local function edges(graph, node)
  if not graph.edges[node] then
    graph.edges[node] = is_name(node) and only_pending(graph, call('SMEMBERS', P .. 'prov:' .. node))
      or job_edges(graph, node, wants_of(spec_of(node)))
  end
  return graph.edges[node]
end

-- Tarjan's algorithm, without recursion: chains may be longer than Lua's stack is deep.
local function components_from(graph, seeds)
  local index, low, on_stack, stack, counter, found = {}, {}, {}, {}, 0, {}

  local function enter(node, path)
    counter = counter + 1
    index[node], low[node] = counter, counter
    stack[#stack + 1] = node
    on_stack[node] = true
    path[#path + 1] = {node = node, edges = edges(graph, node), at = 0}
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

local function skip(graph, id, others)
  table.sort(others, by_turn)
  call_in_chunks('SADD', P .. 'skip:' .. id, others)
  call('SADD', P .. 'skippers', id)
  call('SADD', P .. 'cyclers', id)
  skipping = true
  graph.edges[id] = nil
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
local function resolve(graph, component)
  local inside, jobs = set_of(component), {}
  local left, waiting_for, gone, free = {}, {}, {}, {}
  for _, node in ipairs(component) do
    left[node] = 0
    if not is_name(node) then
      jobs[#jobs + 1] = node
    end
    for _, target in ipairs(edges(graph, node)) do
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

  local function unfinished_edges(id)
    local seen, others = {}, {}
    for _, target in ipairs(edges(graph, id)) do
      for _, other in ipairs(is_name(target) and edges(graph, target) or {target}) do
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
      skip(graph, jobs[oldest], unfinished_edges(jobs[oldest]))
      go(jobs[oldest])
    end
  end
end

-- Breaks every cycle that can be reached from `seeds`.
local function break_cycles(seeds, graph)
  graph = graph or new_graph()
  for _, component in ipairs(components_from(graph, seeds)) do
    resolve(graph, component)
  end
end
