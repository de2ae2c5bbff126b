-- SPDX-License-Identifier: MIT
-- Closures: counters, composed functions, memoised ones, a small event table.
local function counter(step)
    local n = 0
    return function() n = n + step return n end
end

local counters = {}
for i = 1, 60 do counters[i] = counter(i) end
local sum = 0
for turn = 1, 20 do
    for i = 1, #counters do sum = sum + counters[i]() end
end
print("counters", sum)

local function compose(f, g) return function(x) return f(g(x)) end end
local function add(n) return function(x) return x + n end end
local chain = add(0)
for i = 1, 40 do chain = compose(chain, add(i)) end
print("chain", chain(1))

local function memo(f)
    local known = {}
    return function(n)
        local v = known[n]
        if v == nil then v = f(n) known[n] = v end
        return v
    end
end
local fib
fib = memo(function(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end)
print("fib", fib(40))

local handlers = {}
local function on(name, f) handlers[name] = handlers[name] or {} table.insert(handlers[name], f) end
local function emit(name, ...)
    local got = {}
    for _, f in ipairs(handlers[name] or {}) do got[#got + 1] = tostring(f(...)) end
    return table.concat(got, " ")
end
for i = 1, 12 do on(i % 2 == 0 and "even" or "odd", function(a, b) return a * i + b end) end
print("even", emit("even", 3, 1))
print("odd", emit("odd", 2, 5))
