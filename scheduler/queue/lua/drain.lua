-- ARGV: ask or undo, ids or names of workers (none: all). Returns the ids of those concerned.

local asked = ARGV[1] == 'ask'
local wanted = #ARGV > 1 and set_of({unpack(ARGV, 2)})
local concerned = {}

each_worker(function(id, name)
  if not wanted or wanted[id] or wanted[name] then
    local change = asked and {'HSETNX', 'drain:' .. id, NOW} or {'HDEL', 'drain:' .. id}
    if call(change[1], P .. 'control', unpack(change, 2)) == 1 then
      queue_event('drain', asked and 'asked to end after the job in hand' or 'may go on', id)
      wake(id)
      concerned[#concerned + 1] = id
    end
  end
end)
table.sort(concerned)
return concerned
