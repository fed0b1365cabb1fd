-- ARGV: how many members of each part to show, a group (none: all that are open). Changes nothing.
-- Returns JSON.

local result, groups = {}, ARGV[2] and {ARGV[2]} or call('SMEMBERS', P .. 'groups')
table.sort(groups)
for _, group in ipairs(groups) do
  if call('EXISTS', P .. 'group:' .. group) == 1 then
    result[#result + 1] = group_view(group, tonumber(ARGV[1]))
  end
end
return #result > 0 and cjson.encode(result) or '[]'
