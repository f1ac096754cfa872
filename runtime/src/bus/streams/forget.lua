-- Forgets members of a group that have been idle for long and have nothing left to do.
-- KEYS: stream. ARGV: group, milliseconds.
local forgotten = 0
for _, member in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local is = {}
    for i = 1, #member, 2 do
        is[member[i]] = member[i + 1]
    end
    if is.pending == 0 and is.idle > tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], is.name)
        forgotten = forgotten + 1
    end
end
return forgotten
