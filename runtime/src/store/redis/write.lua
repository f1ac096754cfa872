-- Writes a value unless something newer is there.
-- KEYS: value, its version. ARGV: version, value or '', milliseconds of the value or 0, of the version or 0, '1' to remove.
local held = redis.call('GET', KEYS[2])
if held and #held == #ARGV[1] and held > ARGV[1] then
    return held
end
if ARGV[5] == '1' then
    redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then
    redis.call('SET', KEYS[1], ARGV[2])
else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] == '0' then
    redis.call('SET', KEYS[2], ARGV[1])
else
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
end
return 1
