-- ARGV: pkgbase, target repository and architecture (or nothing), id of a job (or nothing).
-- Returns JSON: the job of that id, and the jobs of each package that is meant.

local pkgbase, repository, arch, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function jobs_of(identity)
  local ids = unfinished_of(identity)
  if #ids == 0 then
    ids = {call('HGET', P .. 'last', identity) or nil}
  end
  return views(ids, 2)
end

local packages = {}
local scopes = call('SMEMBERS', P .. 'scopes')
table.sort(scopes)
for _, scope in ipairs(scopes) do
  local its_repository, its_arch = string.match(scope, '^([^/]+)/(.*)$')
  if (repository == '' or repository == its_repository) and (arch == '' or arch == its_arch) then
    local identity = scope .. '/' .. pkgbase
    local jobs = jobs_of(identity)
    if #jobs > 0 then
      packages[#packages + 1] = {identity = identity, jobs = jobs}
    end
  end
end
return cjson.encode({job = id ~= '' and view(id) or nil, packages = packages})
