-- Changes nothing. Returns JSON: the removals that are not finished, in their order.

local function view(id)
  local values = call('HMGET', P .. 'removal:' .. id, 'scope', 'state', 'body', 'reason',
    'submitted', 'request', 'owner', 'attempt')
  return {id = tonumber(id), scope = values[1], state = values[2], removal = values[3],
    reason = values[4] or '', submitted = values[5], request = values[6], worker = values[7] or '',
    attempt = values[8]}
end

local result = {}
for _, key in ipairs({'held_removals', 'removals'}) do
  local command = key == 'removals' and 'LRANGE' or 'ZRANGE'
  for _, id in ipairs(call(command, P .. key, 0, -1)) do
    result[#result + 1] = view(id)
  end
end
return cjson.encode(result)
