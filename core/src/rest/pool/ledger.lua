-- The ledger of a pool of processes that share Discord's limits. One call, one exchange with one member.
--
-- KEYS[1] the pool itself, KEYS[2] what is known of routes, KEYS[3..] one limit for each item. All in one slot.
-- ARGV[1] the member's words, as `exchange.rs` writes them. The answer is what `reply.rs` reads.
--
-- What a member holds is stated by the member each time, never counted up and down here: a lost answer, a repeated
-- exchange and a crash mend themselves. All times are microseconds since the pool was opened, by this server's clock.

local body = cjson.decode(ARGV[1])
local me = body.name

local function load(key, fresh)
  local packed = redis.call('GET', key)
  return packed and cmsgpack.unpack(packed) or fresh
end

local time = redis.call('TIME')
local wall = time[1] * 1000000 + time[2]
local pool = load(KEYS[1], nil)
if not pool then
  pool = { inc = body.nonce, start = wall, last = 0, revision = 0, open = -1, missing = {}, members = {} }
end
-- A clock that was set back must not bring old grants back to life.
local now = math.max(wall - pool.start, pool.last)
pool.last = now

local function silent(member)
  return now - member.heard > body.silent
end

-- Members of an earlier pool, whose ledger is lost, may be living on the shares it told them. Nothing is given out
-- until all of them are here, or their shares have run out.
local function missing()
  local latest = nil
  for name, since in pairs(pool.missing) do
    local over = since + body.away
    if over <= now then
      pool.missing[name] = nil
      pool.open = math.max(pool.open, over)
    else
      latest = math.max(latest or 0, over)
    end
  end
  return latest
end

local state = 'open'
local known = pool.members[me]
if body.inc ~= '' and body.inc ~= pool.inc then
  pool.missing[me] = pool.missing[me] or 0
  for _, name in ipairs(body.peers) do
    if not pool.members[name] then
      pool.missing[name] = pool.missing[name] or 0
    end
  end
  pool.here = pool.here or {}
  pool.here[me] = now
  state = 'join'
  missing()
  for name in pairs(pool.missing) do
    local seen = pool.here[name]
    if not seen or now - seen > body.silent then
      state = 'stay'
    end
  end
elseif known and known.instance ~= body.instance and not silent(known) then
  state = 'taken'
elseif known and known.instance == body.instance and body.seq <= known.seq then
  -- An exchange that was overtaken by a later one: what it says is no longer true.
  state = 'late'
else
  if pool.missing[me] then
    pool.missing[me] = nil
    pool.open = math.max(pool.open, now)
  end
  local member = known or { heard = now, back = -1 }
  local was_silent = known and silent(known)
  if body.heard >= 0 and body.inc ~= '' then
    member.heard = math.max(member.heard, math.min(body.heard, now))
  end
  if was_silent and not silent(member) then
    member.back = now
  end
  if not known or known.instance ~= body.instance then
    -- A new process of this name knows nothing of its predecessor's share, and so does not use it.
    member.heard = now
    member.back = now
  end
  member.instance = body.instance
  member.seq = body.seq
  pool.members[me] = member
  if body.bye then
    pool.members[me] = nil
  end
end

for name, member in pairs(pool.members) do
  if now - member.heard > body.away + body.silent then
    pool.members[name] = nil
  end
end

-- How much of a limit is set aside for members that may be living on their share.
local function reserved(record, limit, window)
  local sum = 0
  for name, right in pairs(record.rights) do
    if right[2] + body.arrival + window <= now then
      record.rights[name] = nil
    else
      local member = pool.members[name]
      if member and right[1] > 0 and (silent(member) or now < member.back + body.arrival + window) then
        sum = sum + math.floor(limit / right[1])
      end
    end
  end
  return sum
end

-- The share of a limit that this member may live on if it loses the ledger: one part in so many, 0 for none. Told and
-- confirmed shares count alike, so that all together are never more than one.
local function share(record, held)
  local sum, others = 0, 0
  for name, right in pairs(record.rights) do
    if name ~= me and pool.members[name] then
      -- Who has no share yet waits for the others to take less.
      others = others + 1
      if right[1] > 0 then
        sum = sum + 1 / right[1]
      end
    end
  end
  local mine = record.rights[me]
  if not mine or mine[2] <= now then
    held = 0
  end
  local told = others + 1
  while told < 100000 and sum + 1 / told > 1 + 1e-9 do
    if sum >= 1 - 1e-9 then
      told = 0
      break
    end
    told = told + 1
  end
  local counted = told
  if held > 0 and (told == 0 or held < told) then
    counted = held
  end
  record.rights[me] = { counted, now + body.away }
  return told
end

-- Discord may have counted these, and an answer that says what is left may or may not know of them.
local function lose(record, count, window, at)
  if record.lost_up <= now then
    record.lost = 0
  end
  record.lost = record.lost + count
  record.lost_up = math.max(record.lost_up, at + window)
end

-- What is left of a bucket, as far as answers told.
local function left_of(record)
  local left = record.up > now and record.low or record.limit
  if record.lost_up > now then
    left = math.max(left - record.lost, 0)
  end
  return left
end

-- Adds to a log. What leaves it at nearly the same time leaves together, with the last of them.
local function add(record, at, count, window)
  local last = record.log[#record.log]
  if last and at >= last[3] and at - last[3] < window / 64 then
    last[1] = math.max(last[1], at)
    last[2] = last[2] + count
  else
    record.log[#record.log + 1] = { at, count, at }
  end
end

-- Who found out a resource's routes has not said what came of it: in which bucket it counts is not known.
local function stray(record, count, at)
  local known = record.stray
  if known and known[1] + 600000000 > now then
    record.stray = { math.max(known[1], at), known[2] + count }
  else
    record.stray = { at, count }
  end
  record.kept = math.max(record.kept, at + 600000000)
end

-- What members hold, all in all. What nobody has spoken of for too long counts as spent when it ran out.
local function held(record, item, window)
  local sum = 0
  for name, grant in pairs(record.grants) do
    local over = grant[2] + body.arrival
    if over > now then
      sum = sum + grant[1]
    else
      record.grants[name] = nil
      if item.kind == 'bucket' then
        lose(record, grant[1], window, over)
      elseif item.kind == 'route' then
        stray(record, grant[1], over)
      elseif over + window > now then
        add(record, over + window, grant[1], window)
      end
    end
  end
  return sum
end

-- What an answer said of a bucket: its limit, what is left, and between which moments it is full again. The order in
-- which Discord counted is told by the ends of windows, which never go back.
local function learn(record, sample)
  local limit, left, lo, up = sample[1], sample[2], sample[3], sample[4]
  record.limit = limit
  if left >= limit then
    return
  end
  if record.up <= now or lo > record.up then
    record.low, record.lo, record.up = left, lo, up
  elseif up >= record.lo then
    record.low = math.min(record.low, left)
    record.lo = math.max(record.lo, lo)
    record.up = math.max(record.up, up)
  end
end

local function logged(record)
  local sum, kept = 0, {}
  for _, entry in ipairs(record.log) do
    if entry[1] > now then
      sum = sum + entry[2]
      kept[#kept + 1] = entry
    end
  end
  record.log = kept
  return sum
end

local function first_leaves(record)
  local first = nil
  for _, entry in ipairs(record.log) do
    first = math.min(first or entry[1], entry[1])
  end
  return first
end

local function alias(hash)
  for _ = 1, 8 do
    local into = redis.call('HGET', KEYS[2], 'h:' .. hash)
    if not into then
      break
    end
    hash = into
  end
  return hash
end

-- How long a bucket's old and new name are held to count the same, in microseconds.
local renamed = 60000000

local revised = false
local function note(field, value)
  local known = redis.call('HGET', KEYS[2], field)
  -- That an answer named no bucket does not unsay that another one did.
  if known ~= value and not (known and value == '-') and redis.call('HLEN', KEYS[2]) < 8192 then
    redis.call('HSET', KEYS[2], field, value)
    if known and known ~= '-' and string.sub(field, 1, 2) == 'r:' then
      local over = string.format(' %.0f', now + renamed)
      redis.call('HSET', KEYS[2], 'p:' .. value, known .. over)
      redis.call('HSET', KEYS[2], 'p:' .. known, value .. over)
    end
    revised = true
  end
end

local function empty()
  return {
    limit = 0, window = 0, low = 0, lo = 0, up = -1, lost = 0, lost_up = -1, hold = -1, kept = -1,
    log = {}, grants = {}, rights = {}, asks = {}, near = {},
  }
end

-- Two names of one bucket: what is held and known under the old one counts under the new one.
local function absorb(record, key)
  local old = load(key, nil)
  if not old then
    return
  end
  for name, grant in pairs(old.grants) do
    local mine = record.grants[name] or { 0, -1 }
    record.grants[name] = { mine[1] + grant[1], math.max(mine[2], grant[2]) }
  end
  for name, right in pairs(old.rights) do
    local mine = record.rights[name]
    if not mine or mine[1] == 0 or (right[1] > 0 and right[1] < mine[1]) then
      record.rights[name] = right
    end
  end
  record.hold = math.max(record.hold, old.hold)
  record.window = math.max(record.window, old.window)
  if record.limit == 0 then
    record.limit = old.limit
  end
  if old.up > now then
    record.low = math.min(record.up > now and record.low or record.limit, old.low)
    record.lo = math.max(record.lo, now)
    record.up = math.max(record.up, old.up)
  end
  if old.lost_up > now then
    lose(record, old.lost, 0, old.lost_up)
  end
  old.grants = {}
  redis.call('SET', key, cmsgpack.pack(old), 'PX', math.ceil(body.away / 1000))
end

-- Granted in this exchange, by key. Items may speak of one key more than once, and what they state was written before.
local granted = {}

-- What finds out a resource's routes may count in any of its buckets: this is what both sides must know. `near` tells of
-- each bucket what is left of it: limit, left, until when, held, until when that counts at the latest.
local function save_discovery(key, record)
  for _, bucket in pairs(record.near) do
    record.kept = math.max(record.kept, bucket[3], bucket[5])
  end
  local kept = body.away + body.arrival + math.max(record.kept - now, 0)
  redis.call('SET', key, cmsgpack.pack(record), 'PX', math.ceil(kept / 1000))
end

-- What members hold to find out a resource's routes, and one place more if somebody waits for that. Tells in the same
-- breath what this member holds of it.
local function beside(item, window)
  local key = KEYS[item.beside]
  local record = load(key, nil) or empty()
  local sum = item.beside_held + (granted[key] or 0)
  local mine = record.grants[me]
  if mine then
    record.grants[me] = sum > 0 and { sum, math.max(mine[2], now) } or nil
  end
  for name, grant in pairs(record.grants) do
    local over = grant[2] + body.arrival
    if over <= now then
      record.grants[name] = nil
      stray(record, grant[1], over)
    elseif name ~= me then
      sum = sum + grant[1]
    end
  end
  if record.stray and record.stray[1] + window > now then
    sum = sum + record.stray[2]
  end
  for _, since in pairs(record.asks) do
    if now - since <= 200000 then
      return record, sum + 1
    end
  end
  return record, sum
end

-- What is left of a bucket, for those who find out routes of its resource.
local function tell_of(record, item, key, bucket, taken)
  local window, over, left = bucket.window, 0, left_of(bucket)
  local up = math.max(bucket.up, bucket.lost_up)
  for _, grant in pairs(bucket.grants) do
    over = math.max(over, grant[2] + body.arrival + window)
  end
  if bucket.hold > now then
    left, up = 0, math.max(up, bucket.hold)
  end
  record.near[key] = { bucket.limit, left, up, taken, over }
  save_discovery(KEYS[item.beside], record)
end

-- A route was counted under another name until a moment ago, or was counted under this one. Another name need not mean
-- another counter: what is used of one bucket counts as used of both.
local function used_beside(record, item, key)
  local other = redis.call('HGET', KEYS[2], 'p:' .. item.hash)
  local hash, over = string.match(other or '', '^(%x+) (%d+)$')
  local first, last = string.find(key, item.hash, 1, true)
  if not first or tonumber(over or 0) <= now then
    return 0
  end
  local bucket = record.near[string.sub(key, 1, first - 1) .. hash .. string.sub(key, last + 1)]
  if not bucket then
    return 0
  end
  local used = bucket[3] > now and bucket[1] - bucket[2] or 0
  return used + (bucket[5] > now and bucket[4] or 0)
end

-- Whether every bucket of the resource has a place for a request that finds out what it counts in.
local function has_place(record)
  local free, at = true, -1
  for key, bucket in pairs(record.near) do
    if bucket[3] <= now and bucket[5] <= now then
      record.near[key] = nil
    else
      local left = bucket[3] > now and bucket[2] or bucket[1]
      if left <= 0 then
        at = math.max(at, bucket[3] - now)
      end
      if bucket[5] > now then
        left = left - bucket[4]
      end
      free = free and left > 0
    end
  end
  return free, at
end

local closed_until = missing()

local is_outdated = body.revision ~= pool.revision

local function serve(item, key)
  local record = load(key, nil) or empty()
  for _, from in ipairs(item.from) do
    absorb(record, KEYS[from])
  end
  if item.kind ~= 'bucket' or record.limit == 0 then
    record.limit = item.limit
  end
  record.window = math.max(record.window, item.window)
  local window = record.window
  for _, sample in ipairs(item.seen) do
    learn(record, sample)
  end
  for _, gone in ipairs(item.gone) do
    add(record, now + gone[1], gone[2], window)
  end
  if item.lost > 0 then
    lose(record, item.lost, window, now)
  end
  if item.hold > 0 then
    record.hold = math.max(record.hold, now + item.hold)
  end
  local mine = record.grants[me]
  local over = math.max(mine and mine[2] or now, now)
  if item.kind == 'invalid' then
    -- Its holder keeps it as long as it is in touch.
    over = now + item.grant
  end
  local holds = item.held + (granted[key] or 0)
  record.grants[me] = holds > 0 and { holds, over } or nil

  local limit = record.limit
  local holding = held(record, item, window)
  local discovery, taken = nil, holding
  if item.beside then
    local finds_out
    discovery, finds_out = beside(item, window)
    taken = taken + finds_out + used_beside(discovery, item, key)
  end
  local free, at = 0, -1
  if item.kind == 'bucket' then
    free = left_of(record) - taken
    for _, ends in ipairs({ record.up, record.lost_up }) do
      if free <= 0 and limit > taken and ends > now then
        at = at < 0 and ends - now or math.min(at, ends - now)
      end
    end
  else
    local gone = logged(record)
    free = limit - gone - taken
    if free <= 0 and gone > 0 then
      at = first_leaves(record) - now
    end
  end
  local told = 0
  if item.kind ~= 'route' then
    told = share(record, item.share)
    -- Of invalid requests, shares are set aside once and for all.
    if item.kind ~= 'invalid' then
      local aside = reserved(record, limit, window)
      free, holding = free - aside, holding + aside
    end
  elseif free > 0 then
    local has, later = has_place(record)
    if not has then
      free, at = 0, later
    end
  end
  if record.hold > now then
    free, at = 0, record.hold - now
  end
  if closed_until then
    free, at = 0, closed_until - now
  elseif now < body.settle then
    free, at = 0, body.settle - now
  elseif pool.open >= 0 and now < pool.open + body.grant + body.arrival + window and item.kind ~= 'invalid' then
    free, at = 0, pool.open + body.grant + body.arrival + window - now
  end

  local got = 0
  if is_outdated and (item.kind == 'bucket' or item.kind == 'route') then
    -- A route may have moved to another bucket: first the member must know.
    at = 0
  elseif item.want > 0 then
    local askers = 1
    for name, since in pairs(record.asks) do
      if now - since > 200000 then
        record.asks[name] = nil
      elseif name ~= me then
        askers = askers + 1
      end
    end
    if free > 0 then
      got = math.min(item.want, math.ceil(free / askers))
    end
    record.asks[me] = got < item.want and now or nil
  end
  if got > 0 then
    local grant = record.grants[me] or { 0, now }
    record.grants[me] = { grant[1] + got, math.max(grant[2], now + item.grant) }
    granted[key] = (granted[key] or 0) + got
  end
  if item.kind == 'route' then
    save_discovery(key, record)
  else
    redis.call('SET', key, cmsgpack.pack(record), 'PX', math.ceil((body.away + window + body.arrival) / 1000))
  end
  if discovery then
    tell_of(discovery, item, key, record, holding + got)
  end
  return got, at, told, limit, window
end

local answers = {}
if state == 'open' then
  for _, pair in ipairs(body.notes) do
    if pair[1] == 'h' then
      local from, into = alias(pair[2]), alias(pair[3])
      if from ~= into then
        note('h:' .. from, into)
      end
    else
      note(pair[2], pair[3])
    end
  end
  for index, item in ipairs(body.items) do
    local moved, got, at, told, limit, window = '', 0, -1, 0, 0, 0
    if item.hash ~= '' then
      local hash = alias(item.hash)
      if hash ~= item.hash then
        moved = hash
      end
    end
    if item.kind == 'route' then
      moved = redis.call('HGET', KEYS[2], item.route) or ''
    end
    if moved == '' or item.kind == 'route' and item.want == 0 then
      got, at, told, limit, window = serve(item, KEYS[index + 2])
    end
    answers[index] = string.format('[%.0f,%.0f,%.0f,%.0f,%.0f,"%s"]', got, at, told, limit, window, moved)
  end
end
if revised then
  pool.revision = pool.revision + 1
end

local notes = {}
if state == 'open' and body.revision ~= pool.revision then
  for _, text in ipairs(redis.call('HGETALL', KEYS[2])) do
    notes[#notes + 1] = '"' .. text .. '"'
  end
end
local peers = {}
for name in pairs(pool.members) do
  if name ~= me then
    peers[#peers + 1] = cjson.encode(name)
  end
end
local kept = math.ceil((body.away + 86400000000) / 1000)
redis.call('SET', KEYS[1], cmsgpack.pack(pool), 'PX', kept)
redis.call('PEXPIRE', KEYS[2], kept)
local closed = closed_until and closed_until - now or 0
return string.format(
  '{"now":%.0f,"inc":"%s","state":"%s","closed":%.0f,"revision":%.0f,"peers":[%s],"notes":[%s],"items":[%s]}',
  now, pool.inc, state, closed, pool.revision, table.concat(peers, ','), table.concat(notes, ','),
  table.concat(answers, ','))
