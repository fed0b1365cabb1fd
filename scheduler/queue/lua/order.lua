-- Who waits for whom.
--
-- A job's `need` counts the names it depends on that somebody pending or running provides, and
-- one more for a running job of its own identity. Its `lacks` counts the failed dependencies
-- that count. Both are kept for running jobs too, so that one that is handed back
-- knows where it stands.

local changed = {} -- jobs that may have to change places, which they do at the end of the script
-- Whether there are jobs that skip others at all. There hardly ever are.
local skipping = call('EXISTS', P .. 'skippers') == 1

local function by_turn(a, b)
  return tonumber(a) < tonumber(b)
end

-- An entry of a ready list is an id, which is its turn, or rank:id.
local function turn_of(entry)
  return tonumber(entry) or tonumber(string.match(entry, '^%d+'))
end

-- Returns the lane of a ready list, ready:<lane> or front:<lane>.
local function lane_in(queued)
  return string.sub(queued, 7)
end

local function is_pending_state(state)
  return state == 'waiting' or state == 'ready'
end

local function is_skipper(id)
  return skipping and call('SISMEMBER', P .. 'skippers', id) == 1
end

local function skipped_by(id)
  return is_skipper(id) and set_of(call('SMEMBERS', P .. 'skip:' .. id)) or nil
end

local function scope_of(spec)
  return spec.target_repo .. '/' .. spec.arch
end

local function add_names(list, own, scope, names)
  for _, name in ipairs(names) do
    if not own[name] then
      own[name] = true
      list[#list + 1] = scope .. name
    end
  end
end

-- Returns the names that the job provides, in its own scope and in those of the architectures that
-- it is shared with, and the same as a set without the scope.
local function names_of(spec)
  local scope = scope_of(spec) .. ':'
  local own, list = {[spec.pkgbase] = true}, {scope .. spec.pkgbase}
  add_names(list, own, scope, spec.pkgnames)
  add_names(list, own, scope, spec.provides)
  local names = #list
  for _, arch in ipairs(spec.shared_with or {}) do
    local other = spec.target_repo .. '/' .. arch .. ':'
    for i = 1, names do
      list[#list + 1] = other .. string.sub(list[i], #scope + 1)
    end
  end
  return list, own
end

-- Returns the names that the job depends on; `own`, which is changed, are those it provides itself.
local function wants_of(spec, own)
  local list = {}
  own = own or select(2, names_of(spec))
  add_names(list, own, scope_of(spec) .. ':', spec.depends)
  return list
end

-- Of a record that cannot be read, what its identity tells.
local function spec_of(id)
  local record = call('HMGET', P .. 'job:' .. id, 'spec', 'identity')
  local readable, spec = pcall(cjson.decode, record[1])
  if readable and type(spec) == 'table' and spec.depends and spec.provides and spec.pkgnames then
    return spec
  end
  local repository, arch, base = string.match(record[2] or '', '^([^/]*)/([^/]*)/(.*)$')
  return {target_repo = repository or '', arch = arch or '', pkgbase = base or '', pkgnames = {},
    provides = {}, depends = {}}
end

local function blocks(name, skipped)
  if not skipped then
    return call('EXISTS', P .. 'prov:' .. name) == 1
  end
  for _, provider in ipairs(call('SMEMBERS', P .. 'prov:' .. name)) do
    if not skipped[provider] then
      return true
    end
  end
  return false
end

local function count_need(id, wants, identity)
  local running, skipped = call('HGET', P .. 'active', identity), skipped_by(id)
  local need = (running and running ~= id) and 1 or 0
  for _, name in ipairs(wants) do
    need = need + (blocks(name, skipped) and 1 or 0)
  end
  return need
end

-- Returns the identities of the failed dependencies of `id`. One whose next job it goes before, to
-- break a cycle, does not count; for a member of a group, only others of it do.
local function failed_deps(id)
  local failed, result = call('HKEYS', P .. 'without:' .. id), {}
  local skipped = #failed > 0 and skipped_by(id)
  local job = #failed > 0 and call('HMGET', P .. 'job:' .. id, 'policy', 'group')
  for _, identity in ipairs(failed) do
    local pending = skipped and call('HGET', P .. 'pending', identity)
    local is_outside = job[1] == 'group' and call('HGET', P .. 'member_of', identity) ~= job[2]
    if not (is_outside or (pending and skipped[pending])) then
      result[#result + 1] = identity
    end
  end
  table.sort(result)
  return result
end

local function recount(id)
  local record = P .. 'job:' .. id
  local identity = call('HGET', record, 'identity')
  call('HSET', record, 'need', count_need(id, wants_of(spec_of(id)), identity),
    'lacks', #failed_deps(id))
  changed[id] = true
end

local function adjust_need(id, by)
  call('HINCRBY', P .. 'job:' .. id, 'need', by)
  changed[id] = true
end

-- Tells those who want `name` that it has now a first provider, lost its last one, or (0) that
-- its providers changed in between, which matters to those who skip some of them.
local function name_changed(name, by)
  if by ~= 0 then
    for _, id in ipairs(call('SMEMBERS', P .. 'want:' .. name)) do
      if not is_skipper(id) then
        adjust_need(id, by)
      end
    end
  end
  if skipping then
    for _, id in ipairs(call('SINTER', P .. 'want:' .. name, P .. 'skippers')) do
      recount(id)
    end
  end
end

local function stop_providing(id, name)
  if call('SREM', P .. 'prov:' .. name, id) == 1 then
    name_changed(name, call('EXISTS', P .. 'prov:' .. name) == 0 and -1 or 0)
  end
end

local function forget_skips(id)
  if is_skipper(id) then
    call('DEL', P .. 'skip:' .. id)
    call('SREM', P .. 'skippers', id)
    call('SREM', P .. 'cyclers', id)
  end
end

-- Those that went before the job, to break a cycle, wait for it like anybody else from now on.
-- Returns who they are.
local function stop_being_skipped(id)
  local result = {}
  if not skipping then
    return result
  end
  -- What is staged for a group stays so: nobody has to be told that it is not waited for.
  local skippers = call('SMEMBERS', P .. 'cyclers')
  table.sort(skippers, by_turn)
  for _, skipper in ipairs(skippers) do
    if call('SREM', P .. 'skip:' .. skipper, id) == 1 then
      recount(skipper)
      result[#result + 1] = skipper
    end
  end
  return result
end
