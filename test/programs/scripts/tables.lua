-- SPDX-License-Identifier: MIT
-- Tables: arrays that grow and shrink, keys, sorting, a matrix, metatables.
local list = {}
for i = 1, 300 do list[i] = (i * 7919) % 1009 end
table.sort(list)
print("sorted", list[1], list[150], list[300])
for _ = 1, 200 do table.remove(list, 1) end
print("left", #list, list[1])

local words = {}
for i = 1, 150 do words["key" .. i] = { id = i, square = i * i } end
local total, count = 0, 0
for _, v in pairs(words) do total = total + v.square count = count + 1 end
print("keys", count, total)
for i = 1, 150, 3 do words["key" .. i] = nil end
count = 0
for _ in pairs(words) do count = count + 1 end
print("keys left", count)

local function matrix(n, f)
    local m = {}
    for r = 1, n do
        m[r] = {}
        for c = 1, n do m[r][c] = f(r, c) end
    end
    return m
end
local a = matrix(12, function(r, c) return (r + c) % 5 end)
local b = matrix(12, function(r, c) return r == c and 2 or 0 end)
local p = matrix(12, function(r, c)
    local s = 0
    for k = 1, 12 do s = s + a[r][k] * b[k][c] end
    return s
end)
print("matrix", p[1][1], p[12][7], p[5][5])

local vector = {}
vector.__index = vector
vector.__add = function(x, y) return setmetatable({ x[1] + y[1], x[2] + y[2] }, vector) end
vector.__eq = function(x, y) return x[1] == y[1] and x[2] == y[2] end
vector.__tostring = function(v) return "(" .. v[1] .. ", " .. v[2] .. ")" end
local v = setmetatable({ 0, 0 }, vector)
for i = 1, 50 do v = v + setmetatable({ i, -i }, vector) end
print("vector", tostring(v), v == setmetatable({ 1275, -1275 }, vector))
