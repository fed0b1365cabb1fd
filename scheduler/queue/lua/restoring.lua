-- Jobs of a backup.

-- Returns the item of a document of a backup: in one line the document, in the next what is to be
-- built.
local function restored_item(text)
  local about, spec = string.match(text, '^([^\n]*)\n(.*)$')
  local document = cjson.decode(about)
  local item, kept = new_item(spec, cjson.decode(spec)), document.fields
  item.id, item.kind, item.reason, item.kept = document.id, 'restored', '', kept
  item.landed, item.succeeds = document.state == 'landed', document.succeeds
  item.request, item.without, item.group = kept.request, document.without, kept.group
  item.job = {attempt = kept.attempt, due = kept.due, rank = kept.rank, submitted = kept.submitted}
  if not item.landed then
    kept.delivery, kept.landed = nil, nil
  end
  kept.request, kept.submitted, kept.group = nil, nil, nil
  return item
end

-- What has to be there before it comes into the indexes.
local function expect_restored(item)
  if item.job.rank then
    call('ZADD', P .. 'promoted', item.job.rank, item.id)
  end
  for identity, value in pairs(item.without or {}) do
    add_failed_dep(item.id, identity, value)
  end
end

local function complete_restored(item)
  if item.landed then
    call('RPUSH', P .. 'landed', item.id)
  end
  if item.without then
    record_group(item)
    item.job.lacks, item.job.caution = #failed_deps(item.id), caution_of(item.id)
    item.kept.lacks, item.kept.caution = item.job.lacks, item.job.caution
  end
end
