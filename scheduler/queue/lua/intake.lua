-- Taking in what is too much for one run of a script: a part at a time, while the queue is closed
-- to everybody else. So nobody ever sees a half of it, and whoever comes may go on with it.
--
-- Somebody stages the jobs under a token of their own, which counts for nothing and expires. One
-- short step, a submission or a restoration, begins the intake: from then on all of it is kept.
--
-- `intake` has: kind (submit or restore), token, count, step, how much of it is done as `at`, when
-- it began as `since`, and as `touched` when somebody went on with it last; of a request also its id,
-- and the `sequence` after which its jobs get their ids.

-- What nobody has taken in by then is of no use: PERSIST would be one right more.
local KEPT = 365 * 24 * 3600

local function key_of(kind, token)
  return P .. kind .. ':' .. token
end

-- Whether all `count` jobs are staged, and none has expired.
local function is_staged(token, count)
  return call('HLEN', key_of('staged', token)) == count
    and call('HLEN', key_of('staged_order', token)) == count
end

local function forget_staged(token)
  call('UNLINK', key_of('staged', token), key_of('staged_order', token))
end

local function begin_intake(token, count, ...)
  call('EXPIRE', key_of('staged', token), KEPT)
  call('EXPIRE', key_of('staged_order', token), KEPT)
  call('HSET', P .. 'intake', 'token', token, 'count', count, 'at', 0, 'since', NOW, 'touched', NOW,
    ...)
end
