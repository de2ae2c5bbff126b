-- SPDX-License-Identifier: MIT
-- Coroutines: generators, a pipeline, a scheduler of tasks that come and go.
local function range(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local function filter(source, keep)
    return coroutine.wrap(function() for v in source do if keep(v) then coroutine.yield(v) end end end)
end
local sum = 0
for v in filter(range(300), function(n) return n % 7 == 0 end) do sum = sum + v end
print("pipeline", sum)

local function permute(a, n)
    n = n or #a
    if n <= 1 then coroutine.yield(table.concat(a)) return end
    for i = 1, n do
        a[n], a[i] = a[i], a[n]
        permute(a, n - 1)
        a[n], a[i] = a[i], a[n]
    end
end
local first, last, count = nil, nil, 0
for p in coroutine.wrap(function() permute({ "a", "b", "c", "d", "e" }) end) do
    first = first or p
    last = p
    count = count + 1
end
print("permutations", count, first, last)

local tasks, log = {}, {}
local function spawn(name, steps)
    tasks[#tasks + 1] = { name = name, co = coroutine.create(function()
        for i = 1, steps do
            if i == 3 and steps > 6 then spawn(name .. "'", steps - 4) end
            coroutine.yield(name .. i)
        end
    end) }
end
for i = 1, 8 do spawn("t" .. i .. ".", i + 2) end
while #tasks > 0 do
    for i = #tasks, 1, -1 do
        local ok, said = coroutine.resume(tasks[i].co)
        assert(ok, said)
        if coroutine.status(tasks[i].co) == "dead" then table.remove(tasks, i) else log[#log + 1] = said end
    end
end
print("tasks", #log, log[1], log[#log])
print("error", select(2, coroutine.resume(coroutine.create(function() error("stopped", 0) end))))
