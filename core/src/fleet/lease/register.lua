-- The register of a bot's shards: who may run which, and who may identify. One call, one exchange with one member.
--
-- KEYS[1] is the register, all of it. ARGV[1] is what the member says, as `words.rs` writes it, and the answer is what
-- `words.rs` reads. All times are microseconds.
--
-- What a member holds it states each time, never counted up and down here: what it does not state any more is free. So a
-- lost answer, a repeated exchange and a crash mend themselves. Leases end with the time of their member.

local body = cjson.decode(ARGV[1])
local me = body.instance

-- How long after the last exchange Redis may forget all of it: 30 days, in milliseconds.
local KEPT = 2592000000
-- After a permit has run out, Discord has certainly counted an identify that was sent on it after so long.
local SETTLE = 10000000
-- An answer of Discord's that was asked for longer ago is not heeded.
local OLD = 60000000
-- How long a permit that nobody spoke of again is remembered, to be given back.
local REMEMBERED = 30000000
-- Who waits for a permit and has not been heard for so long does not wait any more.
local PATIENT = 5000000
-- An answer of Discord's that is older than this is asked for anew.
local STALE = 600000000

local format = string.format

local function text_of(number)
  return format('%.0f', number)
end

local time = redis.call('TIME')
local wall = time[1] * 1000000 + time[2]
local state = nil
local packed = redis.call('GET', KEYS[1])
if packed then
  local is_readable, found = pcall(cmsgpack.unpack, packed)
  if is_readable and type(found) == 'table' and found.version == 1 then
    state = found
  end
end
if not state then
  -- Holders of leases that a lost register gave out have a term to state them, before anything is given to others.
  state = {
    version = 1, wall = wall, now = wall, born = wall, ready = wall + body.term, serial = 0, counter = wall,
    permits_from = wall + math.max(body.term, body.use + SETTLE),
    revision = 0, topology = '', size = 0, free = {}, members = {}, recent = {}, permits = {}, flights = {},
  }
end

-- The register's own time goes on by what the server's clock does, but never by more than a stride at once: a server
-- whose clock is set, or another one that takes over, must not end leases early. Their margin allows for one stride.
local passed = wall - state.wall
if passed > body.stride then
  passed = body.stride
  for _, busy in pairs(state.recent) do
    busy[1] = busy[1] + passed
  end
end
state.now = state.now + math.max(passed, 0)
state.wall = wall
local now = state.now
local members = state.members

-- What a member holds, as shard to token; unpacked once.
local opened = {}
local function held_by(id)
  if not opened[id] then
    opened[id] = cmsgpack.unpack(members[id].held)
  end
  return opened[id]
end

local function let_go(member, shard, token)
  if not member.outside[shard] then
    state.free[shard] = text_of(token) .. ' ' .. member.name
  end
end

for id, member in pairs(members) do
  if member.over <= now then
    for shard, token in pairs(held_by(id)) do
      let_go(member, shard, token)
    end
    members[id] = nil
    opened[id] = nil
  end
end

local known = members[me]
if known and body.seq <= known.seq then
  -- An exchange that was overtaken by a later one, or came twice: what it says is no longer true.
  return format('{"seq":%.0f,"state":"late"}', body.seq)
end

if body.inc ~= '' and body.inc ~= text_of(state.born) and now >= state.ready then
  -- The member knows another register: this one may be a copy from before.
  state.ready = now + body.term
elseif body.inc == text_of(state.born) and body.heard > state.serial then
  -- It has been told what this one does not know: a server took over that had not got everything.
  state.serial = body.heard
  state.ready = now + body.term
end
state.serial = state.serial + 1
state.counter = math.max(state.counter, tonumber(body.top))

-- The shards of a topology's text, in order.
local function expand(text)
  local list = {}
  local total = string.match(text, '^%d+$')
  if total then
    for index = 0, tonumber(total) - 1 do
      list[#list + 1] = index .. '/' .. total
    end
    return list
  end
  for indices, of in string.gmatch(text, '([%d,%-]+)/(%d+)') do
    for first, last in string.gmatch(indices, '(%d+)%-?(%d*)') do
      for index = tonumber(first), tonumber(last ~= '' and last or first) do
        list[#list + 1] = index .. '/' .. of
      end
    end
  end
  return list
end

local function set_topology(text, revision, course)
  local list = expand(text)
  if #list == 0 then
    return
  end
  local free = {}
  for _, shard in ipairs(list) do
    free[shard] = state.free[shard] or '0 '
  end
  for id, member in pairs(members) do
    local outside, giving = {}, {}
    member.count, member.gives = 0, 0
    for shard in pairs(held_by(id)) do
      if free[shard] then
        free[shard] = nil
        member.count = member.count + 1
        if member.giving[shard] then
          giving[shard] = 1
          member.gives = member.gives + 1
        end
      else
        outside[shard] = 1
      end
    end
    member.outside, member.giving = outside, giving
  end
  state.topology, state.revision, state.size, state.free = text, revision, #list, free
  state.course = course
end

if body.topology ~= '' and (state.revision == 0 or body.revision > state.revision) then
  set_topology(body.topology, math.max(body.revision, 1), body.course)
end
for label, text in pairs(body.prefer or {}) do
  state.prefer = state.prefer or {}
  state.prefer[label] = text
end
local retargeted = 'null'
if body.retarget then
  local wanted, expected, course = body.retarget.topology, body.retarget.expected, body.retarget.course
  if state.revision == expected and state.revision > 0 then
    set_topology(wanted, expected + 1, course)
  end
  -- Told twice, it was done once.
  local is_done = state.revision == expected + 1 and state.topology == wanted and state.course == course
  retargeted = is_done and 'true' or 'false'
end

-- A change of shards that is under way: its sessions stay where they are, and somebody has to lead it.
local pinned, leader = {}, nil
if state.course then
  local is_readable, course = pcall(cjson.decode, state.course)
  if is_readable and type(course) == 'table' and course.ended == cjson.null then
    leader = course.leader
    local step = course.step ~= cjson.null and course.step or { start = '', stop = '' }
    for _, text in ipairs({ step.start, step.stop }) do
      for _, shard in ipairs(expand(text)) do
        pinned[shard] = true
      end
    end
  end
end

-- A lease that this register does not know as the member's: it was given by a lost register, or has run out, or another
-- member has it. The greater token wins.
local function claim(shard, token)
  local free = state.free[shard]
  if free then
    if token < tonumber(string.match(free, '^%d+')) then
      return nil
    end
    state.free[shard] = nil
    return 'inside'
  end
  for id, other in pairs(members) do
    local theirs = id ~= me and held_by(id)[shard]
    if theirs then
      if theirs >= token then
        return nil
      end
      held_by(id)[shard] = nil
      other.held = cmsgpack.pack(held_by(id))
      if other.outside[shard] then
        other.outside[shard] = nil
        return 'outside'
      end
      other.count = other.count - 1
      if other.giving[shard] then
        other.giving[shard] = nil
        other.gives = other.gives - 1
      end
      return 'inside'
    end
  end
  return 'outside'
end

local lost = {}
local held, giving, outside, count, gives, all = {}, {}, {}, 0, 0, 0
local before = known and held_by(me) or {}
for shard, text in pairs(body.held) do
  local token = tonumber(text)
  state.counter = math.max(state.counter, token)
  local place = nil
  if before[shard] then
    place = known.outside[shard] and 'outside' or 'inside'
    if known.giving[shard] then
      giving[shard] = 1
      gives = gives + 1
    end
  else
    place = claim(shard, token)
  end
  if not place then
    lost[#lost + 1] = '"' .. shard .. '"'
  else
    held[shard] = token
    all = all + 1
    if place == 'outside' then
      outside[shard] = 1
    else
      count = count + 1
    end
  end
end
for shard, token in pairs(before) do
  if not held[shard] then
    let_go(known, shard, token)
  end
end

local member = {
  name = body.name, label = body.label, capacity = body.capacity, standby = body.standby, leaving = body.leaving,
  status = body.status, seq = body.seq, joined = known and known.joined or state.serial, seen = now,
  seen_serial = state.serial, over = now + body.term, giving = giving, outside = outside, count = count, gives = gives,
}
members[me] = member

-- Who should have how many. A process that was started again under the name of one that is silent since then counts
-- together with it: what that one still holds will be its own.
local newest = {}
for id, other in pairs(members) do
  local found = newest[other.name]
  if not found or members[found].joined < other.joined then
    newest[other.name] = id
  end
end
local active, standby, leavers = {}, {}, 0
local mine = nil
local gone = {}
for id, other in pairs(members) do
  local heir = newest[other.name]
  if heir ~= id and other.seen_serial < members[heir].joined then
    gone[heir] = (gone[heir] or 0) + other.count
  elseif other.leaving then
    leavers = leavers + other.count
  else
    local list = other.standby and standby or active
    list[#list + 1] = { id = id, capacity = other.capacity, has = other.count, quota = 0, part = 0 }
    if id == me then
      mine = list[#list]
    end
  end
end

-- Shares `shards` out by capacity, in whole numbers: who has the greater one already keeps it. Tells what is left.
local function share(list, shards)
  local sum = 0
  for _, one in ipairs(list) do
    one.has = one.has + (gone[one.id] or 0)
    sum = sum + one.capacity
  end
  local left = shards
  for _, one in ipairs(list) do
    local exact = sum <= shards and one.capacity or shards * one.capacity / sum
    one.quota = math.floor(exact + 1e-9)
    one.part = math.max(exact - one.quota, 0)
    left = left - one.quota
  end
  if sum <= shards then
    return left
  end
  table.sort(list, function(a, b)
    local a_parts, b_parts = a.part > 1e-9, b.part > 1e-9
    if a_parts ~= b_parts then
      return a_parts
    end
    local a_has, b_has = a.has > a.quota, b.has > b.quota
    if a_has ~= b_has then
      return a_has
    end
    if a.part ~= b.part then
      return a.part > b.part
    end
    return a.id < b.id
  end)
  for at = 1, left do
    list[at].quota = list[at].quota + 1
  end
  return 0
end
share(standby, share(active, state.size))

local free_count = 0
for _ in pairs(state.free) do
  free_count = free_count + 1
end
local is_open = now >= state.ready

-- Shards that prefer this member's label, and those that prefer the label of another member that is there.
local function preferences()
  local labels, own, others = {}, {}, {}
  for _, other in pairs(members) do
    labels[other.label] = true
  end
  for label, text in pairs(state.prefer or {}) do
    if labels[label] then
      local list = label == body.label and own or others
      for _, shard in ipairs(expand(text)) do
        local index, total = string.match(shard, '^(%d+)/(%d+)$')
        list[total] = list[total] or {}
        list[total][index] = true
      end
    end
  end
  return own, others
end

-- Whether a shard is one of those, or a part of one.
local function is_of(list, shard)
  local index, total = string.match(shard, '^(%d+)/(%d+)$')
  for of, indices in pairs(list) do
    if total % of == 0 and indices[format('%.0f', index % of)] then
      return true
    end
  end
  return false
end

-- First what was the member's own before, then what prefers its label, then what is nobody's, then what another may want.
local function pick(wanted)
  local busy, classes = {}, { {}, {}, {}, {}, {} }
  local own, others = preferences()
  for _, shard in ipairs(body.busy) do
    busy[shard] = true
  end
  for _, shard in ipairs(expand(state.topology)) do
    local free = state.free[shard]
    if free and not busy[shard] then
      local name = string.match(free, '^%d+ (.*)$')
      local is_own = is_of(own, shard)
      local is_others = not is_own and is_of(others, shard)
      local class = newest[name] and 5 or 3
      if name == body.name then
        class = is_others and 4 or 1
      elseif is_own then
        class = 2
      elseif is_others then
        class = 5
      end
      classes[class][#classes[class] + 1] = shard
    end
  end
  local picked = {}
  for _, class in ipairs(classes) do
    for _, shard in ipairs(class) do
      if #picked >= wanted then
        return picked
      end
      picked[#picked + 1] = shard
    end
  end
  return picked
end

local take = {}
if is_open and mine and mine.quota > mine.has and free_count > 0 then
  for _, shard in ipairs(pick(mine.quota - mine.has)) do
    state.counter = state.counter + 1
    state.free[shard] = nil
    held[shard] = state.counter
    member.count = member.count + 1
    mine.has = mine.has + 1
    all = all + 1
    free_count = free_count - 1
    take[#take + 1] = '["' .. shard .. '","' .. text_of(state.counter) .. '"]'
  end
end

-- Shards on their way from one member to another, and how many more have somewhere to go.
local needed, moving = 0, free_count
for _, list in ipairs({ active, standby }) do
  for _, one in ipairs(list) do
    -- Who has been silent for a while may be gone: nothing is given back for it.
    if members[one.id].seen + body.term / 2 > now then
      needed = needed + math.max(one.quota - one.has, 0)
    end
  end
end
for _, other in pairs(members) do
  moving = moving + other.gives
end
if is_open and mine then
  local over = member.count - member.gives - mine.quota
  over = math.min(over, body.handover - moving, needed - moving - leavers)
  if over > 0 then
    local list = {}
    for shard in pairs(held) do
      if not outside[shard] and not giving[shard] and not pinned[shard] then
        list[#list + 1] = shard
      end
    end
    table.sort(list)
    for at = #list, math.max(#list - over, 0) + 1, -1 do
      giving[list[at]] = 1
      member.gives = member.gives + 1
    end
  end
end
local give = {}
for shard in pairs(giving) do
  give[#give + 1] = '"' .. shard .. '"'
end
local hurry = is_open and mine and mine.quota > mine.has and moving + leavers > 0
member.held = cmsgpack.pack(held)
opened[me] = held
if body.leaving and all == 0 then
  members[me] = nil
end

-- Identifies. What the last answer of Discord's said, less what was granted that it may not have counted.
local permits, recent, flights = state.permits, state.recent, state.flights

local function index_of(shard)
  return tonumber(string.match(shard, '^%d+'))
end

-- Grants by the second: how many an answer may not have counted.
local function fly(second, count)
  for _, flight in ipairs(flights) do
    if flight[1] == second then
      flight[2] = flight[2] + count
      return
    end
  end
  flights[#flights + 1] = { second, count }
end

local function second_of(at)
  return math.floor(at / 1000000)
end

-- The permit was not used: its key is as free as before, and the account has it again.
local function refund(serial, permit)
  local busy = recent[permit[2]]
  if busy and busy[2] == serial then
    recent[permit[2]] = nil
  end
  fly(permit[4], -1)
  local account = state.account
  if account and permit[4] >= account.since then
    account.left = math.min(account.left + 1, account.total)
  end
  permits[serial] = nil
end

local in_hand = {}
for _, serial in ipairs(body.hand) do
  in_hand[serial] = true
end
for _, serial in ipairs(body.sent) do
  local permit = permits[serial]
  if permit and permit[1] == me then
    recent[permit[2]] = { now + body.spacing, serial }
    permits[serial] = nil
  end
end
for serial, permit in pairs(permits) do
  if permit[3] + REMEMBERED <= now then
    permits[serial] = nil
  elseif permit[1] == me and not in_hand[serial] then
    -- It was not used, or its holder never heard of it and will not any more.
    refund(serial, permit)
  end
end
for index, busy in pairs(recent) do
  if busy[1] <= now then
    recent[index] = nil
  end
end

-- An answer of Discord's, by a member that asked at `asked` by this register's time, or later.
local limits = body.limits
if limits and limits.inc == text_of(state.born) and limits.asked >= math.max(now - OLD, state.permits_from) then
  local since = second_of(limits.asked - body.use - SETTLE)
  local left = math.min(limits.remaining, limits.total)
  for _, flight in ipairs(flights) do
    if flight[1] >= since then
      left = left - flight[2]
    end
  end
  local account = state.account
  if account and now < account.over and limits.asked < account.asked then
    -- It is older than what is known: it can only lower that.
    account.left = math.min(account.left, left)
  else
    state.account = {
      total = limits.total, left = left, over = now + limits.reset_after, asked = limits.asked, since = since,
      concurrency = math.max(limits.max_concurrency, 1),
    }
  end
end
local kept = {}
for _, flight in ipairs(flights) do
  if flight[1] >= second_of(now - OLD - SETTLE - 2 * body.use) then
    kept[#kept + 1] = flight
  end
end
state.flights = kept
flights = kept

-- Since when each of the member's shards waits, and with what right: of those that came in the same few seconds the
-- busiest go first, and of those lower indices. Three numbers in one that is exact.
local weights = body.weights or {}
local function right_of(shard, index, since)
  local quiet = 31 - (weights[shard] or 0)
  return (math.floor(since / PATIENT) * 32 + quiet) * 65536 + index
end
local waited = known and known.waits and cmsgpack.unpack(known.waits) or {}
local waits, line = {}, {}
for _, shard in ipairs(body.wants) do
  waits[shard] = waited[shard] or now
  local index = index_of(shard)
  line[#line + 1] = { shard = shard, index = index, right = right_of(shard, index, waits[shard]) }
end
table.sort(line, function(a, b)
  if a.right ~= b.right then
    return a.right < b.right
  end
  return a.shard < b.shard
end)

-- When each key may identify next, and the best right that another member has to it. Shards of different totals share
-- the keys.
local busy_until, first = {}, {}
local function sort_out(concurrency)
  for shard, busy in pairs(recent) do
    local key = index_of(shard) % concurrency
    busy_until[key] = math.max(busy_until[key] or 0, busy[1])
  end
  for id, other in pairs(members) do
    if id ~= me and other.firsts and other.firsts_of == concurrency and other.seen + PATIENT > now then
      for key, right in pairs(other.firsts) do
        key = tonumber(key)
        first[key] = math.min(first[key] or right, right)
      end
    end
  end
end

local function grant(shard)
  state.issued = (state.issued or 0) + 1
  local serial = text_of(state.issued)
  state.account.left = state.account.left - 1
  -- Until its holder says that the identify was sent, it may be sent as long as the permit runs.
  permits[serial] = { me, shard, now, second_of(now) }
  recent[shard] = { now + body.use + body.spacing, serial }
  fly(second_of(now), 1)
  return serial
end

local function serve(wait, account)
  if account.left - math.min(body.reserve, math.floor(account.total / 2)) <= 0 then
    return 'spent', text_of(math.ceil((account.over - now) / 1000))
  end
  local key = wait.index % account.concurrency
  local at = busy_until[key] or 0
  if at > now then
    return 'wait', text_of(math.ceil((at - now) / 1000))
  elseif first[key] and first[key] < wait.right then
    return 'wait', '250'
  end
  busy_until[key] = now + body.use + body.spacing
  waits[wait.shard] = nil
  return 'granted', grant(wait.shard)
end

local answered = {}
local account = state.account
local is_known = account and now < account.over and now >= state.permits_from
if is_known and #line > 0 then
  sort_out(account.concurrency)
  member.firsts, member.firsts_of = {}, account.concurrency
end
for _, wait in ipairs(line) do
  local outcome, value = 'wait', '1000'
  if is_known then
    outcome, value = serve(wait, account)
    local key = tostring(wait.index % account.concurrency)
    if outcome == 'wait' and not member.firsts[key] then
      member.firsts[key] = wait.right
    end
  end
  answered[#answered + 1] = '["' .. wait.shard .. '","' .. outcome .. '",' .. value .. ']'
end
if next(waits) then
  member.waits = cmsgpack.pack(waits)
end

-- One of those who want to identify is asked to ask Discord.
local ask = false
if #body.wants > 0 and now >= state.permits_from and now - (state.asked or 0) >= PATIENT then
  ask = not account or now >= account.over or now - account.asked >= STALE
  if ask then
    state.asked = now
  end
end

local function view()
  local list = {}
  for id, one in pairs(members) do
    local leases, wanted = {}, {}
    for shard, token in pairs(held_by(id)) do
      leases[#leases + 1] = '"' .. shard .. '":"' .. text_of(token) .. '"'
    end
    for shard in pairs(one.giving) do
      wanted[#wanted + 1] = '"' .. shard .. '"'
    end
    list[#list + 1] = format(
      '{"name":%s,"instance":"%s","label":%s,"capacity":%.0f,"standby":%s,"leaving":%s,"seen_ms":%.0f,"shards":%.0f,'
        .. '"status":%s,"leases":{%s},"giving":[%s]}',
      cjson.encode(one.name), id, cjson.encode(one.label), one.capacity, tostring(one.standby), tostring(one.leaving),
      (now - one.seen) / 1000, one.count, cjson.encode(one.status), table.concat(leases, ','),
      table.concat(wanted, ','))
  end
  local known_account = 'null'
  if account then
    known_account = format(
      '{"total":%.0f,"remaining":%.0f,"resets_in_ms":%.0f,"max_concurrency":%.0f}',
      account.total, math.max(account.left, 0), math.max(account.over - now, 0) / 1000, account.concurrency)
  end
  return format(
    '{"topology":%s,"revision":%.0f,"course":%s,"permits":%.0f,"opens_in_ms":%.0f,"members":[%s],'
      .. '"account":%s}',
    cjson.encode(state.topology), state.revision, state.course and cjson.encode(state.course) or 'null',
    state.issued or 0, math.max(state.ready - now, 0) / 1000,
    table.concat(list, ','), known_account)
end

redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', KEPT)
local topology, course = 'null', 'null'
if body.topology ~= state.topology or body.revision ~= state.revision then
  topology = cjson.encode(state.topology)
  course = state.course and cjson.encode(state.course) or 'null'
end
local is_led = not leader or (members[leader] and not members[leader].leaving)
return format(
  '{"seq":%.0f,"state":"ok","inc":"%s","serial":%.0f,"now":%.0f,"revision":%.0f,"topology":%s,"course":%s,"led":%s,'
    .. '"retargeted":%s,"lost":[%s],"take":[%s],"give":[%s],"permits":[%s],"ask":%s,"hurry":%s,"view":%s}',
  body.seq, text_of(state.born), state.serial, now, state.revision, topology, course, tostring(is_led and true or false),
  retargeted,
  table.concat(lost, ','), table.concat(take, ','), table.concat(give, ','), table.concat(answered, ','),
  tostring(ask), hurry and 'true' or 'false', body.view and view() or 'null')
