-- SPDX-License-Identifier: MIT
-- Garbage: trees, strings and closures that are made, kept for a while and dropped; weak tables; finalizers.
local function tree(depth) return depth == 0 and {} or { tree(depth - 1), tree(depth - 1) } end
local function nodes(t) return t[1] and 1 + nodes(t[1]) + nodes(t[2]) or 1 end
local kept = tree(6)
local total = 0
for round = 1, 30 do total = total + nodes(tree(round % 6)) end
print("trees", total, nodes(kept))

local ring, size = {}, 40
for i = 1, 2000 do
    ring[i % size] = { name = "item " .. i, data = string.rep("#", i * 13 % 61), call = function() return i end }
end
local length, calls = 0, 0
for i = 0, size - 1 do
    length = length + #ring[i].data
    calls = calls + ring[i].call()
end
print("ring", length, calls)

local weak = setmetatable({}, { __mode = "v" })
for i = 1, 100 do weak[i] = { i } end
collectgarbage()
local left = 0
for _ in pairs(weak) do left = left + 1 end
print("weak", left)

local finished = 0
for _ = 1, 50 do setmetatable({}, { __gc = function() finished = finished + 1 end }) end
collectgarbage()
collectgarbage()
print("finished", finished)

local queue = {}
for i = 1, 600 do
    queue[#queue + 1] = ("message %d"):format(i)
    if #queue > 25 then
        local keep = {}
        for k = 11, #queue do keep[#keep + 1] = queue[k] end
        queue = keep
    end
end
print("queue", #queue, queue[1])
