-- ARGV: protocol, request id, what to do about running jobs (follow or cancel), number of removals,
-- the removals as JSON, the jobs as JSON (one per identity).
-- Returns whether the request is known, then the ids of jobs, replaced jobs, successors, removals
-- and canceled jobs, each joined by commas; then the places, from 1, of the jobs whose target
-- repository nobody works for, and of those whose source repository nobody does.

local request, on_running, removal_count = ARGV[2], ARGV[3], tonumber(ARGV[4])
local unknown = {target = {}, source = {}}

-- Reads the jobs but for those that nobody could build or publish.
local function read_jobs(first)
  local items, lacking = {}, repository_check()
  for i = first, #ARGV do
    local spec = cjson.decode(ARGV[i])
    local nobodys = unknown[lacking(spec)]
    if nobodys then
      nobodys[#nobodys + 1] = i - first + 1
    else
      items[#items + 1] = new_item(ARGV[i], spec)
    end
  end
  return items
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

if was_taken(request) then
  return {1}
end
remember_request(request)
local removals, canceled = submit_removals(request, 5, 4 + removal_count)
local items = read_jobs(5 + removal_count)
if on_running == 'cancel' then
  for _, id in ipairs(cancel_running(items, request)) do
    canceled[#canceled + 1] = id
  end
end
assign_ids(items)
admit(items, request)
return {0, ids_of(items), ids_of(items, 'replaces'), ids_of(items, 'succeeds'),
  table.concat(removals, ','), table.concat(canceled, ','),
  table.concat(unknown.target, ','), table.concat(unknown.source, ',')}
