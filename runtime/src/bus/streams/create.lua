-- Creates a group, and its stream with it, unless it is there. 1 if it is new.
-- KEYS: stream. ARGV: group, the id after which it reads.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')
if type(made) == 'table' and made.err then
    if string.find(made.err, 'BUSYGROUP', 1, true) then
        return 0
    end
    return made
end
return 1
