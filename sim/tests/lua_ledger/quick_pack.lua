-- In place of cmsgpack where runs are long: values stay in Lua, the last few thousand of them, copied on the way.
local packed, last = {}, 0
local function copy(value)
  if type(value) ~= 'table' then
    return value
  end
  local other = {}
  for key, inner in pairs(value) do
    other[key] = copy(inner)
  end
  return other
end
cmsgpack = {
  pack = function(value)
    last = last + 1
    packed[last], packed[last - 4096] = copy(value), nil
    return 'packed ' .. last
  end,
  unpack = function(text)
    return copy(packed[tonumber(string.match(text, '%d+'))])
  end,
}
