-- SPDX-License-Identifier: MIT
-- Tables that grow, strings, closures, garbage.
local rows = {}
for i = 1, 100000 do rows[i] = {i, tostring(i), next = rows[i - 1]} end
local digits = 0
for i = 1, #rows do digits = digits + #rows[i][2] end
local parts = {}
for i = 1, 50000 do parts[#parts + 1] = ("x"):rep(i % 50) end
print(digits, #table.concat(parts))
local words = {}
for word in ("the quick brown fox jumps over the lazy dog "):rep(2000):gmatch("%a+") do words[word] = (words[word] or 0) + 1 end
local names = {}
for word in pairs(words) do names[#names + 1] = word end
table.sort(names)
for _, word in ipairs(names) do io.write(word, "=", words[word], " ") end
print()
rows = nil
collectgarbage()
local makers = {}
for i = 1, 20000 do makers[i] = function(x) return x + i end end
local sum = 0
for i = 1, #makers do sum = sum + makers[i](1) end
print(sum)
