-- Notes ids in the index of their namespace, each with the moment from which it may be forgotten, and forgets a few.
-- KEYS: index. ARGV: milliseconds that the values hold or 0, milliseconds of grace, ids.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local holds, grace = tonumber(ARGV[1]), tonumber(ARGV[2])
local is_new = redis.call('EXISTS', KEYS[1]) == 0
local ends = holds > 0 and now + holds + grace or 4503599627370496
for i = 3, #ARGV do
    redis.call('ZADD', KEYS[1], ends, ARGV[i])
end
local over = redis.call('ZRANGEBYSCORE', KEYS[1], 1, now, 'LIMIT', 0, 64)
if #over > 0 then
    redis.call('ZREM', KEYS[1], unpack(over))
end
-- The index as a whole ends after the last of its values.
if holds == 0 then
    redis.call('PERSIST', KEYS[1])
else
    local left = redis.call('PTTL', KEYS[1])
    if is_new or (left >= 0 and left < holds + 2 * grace) then
        redis.call('PEXPIRE', KEYS[1], holds + 2 * grace)
    end
end
return #over
