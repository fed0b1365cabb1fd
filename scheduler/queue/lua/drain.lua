-- ARGV: ask or undo, ids or names of workers (none: all). Returns the ids of those concerned.

local asked = ARGV[1] == 'ask'
local wanted = #ARGV > 1 and set_of({unpack(ARGV, 2)})
local concerned = {}

each_worker(function(id, name)
  if not wanted or wanted[id] or wanted[name] then
    local field, changes = 'drain:' .. id, nil
    if asked then
      changes = call('HSETNX', P .. 'control', field, NOW) == 1
    else
      changes = call('HDEL', P .. 'control', field) == 1
    end
    if changes then
      queue_event('drain', asked and 'asked to end after the job in hand' or 'may go on', id)
      wake(id)
      concerned[#concerned + 1] = id
    end
  end
end)
table.sort(concerned)
return concerned
