-- Ids that stand in the index and have no value: doubted at first, and forgotten if they are doubted still after a
-- while. A write in between notes its id again, which ends the doubt.
-- KEYS: index. ARGV: milliseconds of grace, then each id and the score with which it was seen.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local forgotten = 0
for i = 2, #ARGV, 2 do
    local seen = tonumber(ARGV[i + 1])
    local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
    if score and tonumber(score) == seen then
        if seen >= 0 then
            redis.call('ZADD', KEYS[1], -now, ARGV[i])
        elseif -seen < now - tonumber(ARGV[1]) then
            redis.call('ZREM', KEYS[1], ARGV[i])
            forgotten = forgotten + 1
        end
    end
end
return forgotten
