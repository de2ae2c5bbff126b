-- SPDX-License-Identifier: MIT
-- Strings: concatenation, patterns, formatting, buffers that grow, a small template.
local text = ""
for i = 1, 120 do text = text .. string.char(97 + i % 26) end
print(#text, text:sub(1, 30))

local parts = {}
for i = 1, 200 do parts[#parts + 1] = string.format("%03d:%s", i, string.rep("x", i % 9)) end
local joined = table.concat(parts, ",")
print(#joined, joined:sub(-40))

local counts = {}
for word in ("the granule and the block and the region and the tag"):gmatch("%a+") do counts[word] = (counts[word] or 0) + 1 end
local names = {}
for name in pairs(counts) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do print(name, counts[name]) end

local page = ([[{{title}}: {{count}} blocks, {{size}} bytes; {{missing}}]]):gsub("{{(%w+)}}", { title = "heap", count = 12, size = 4096 })
print(page)
print((joined:gsub("%d+", function(d) return tonumber(d) % 50 == 0 and "<" .. d .. ">" or "" end):gsub("[x:,]+", " ")))
print(("%5d|%-8s|%x|%q"):format(42, "left", 48879, 'a "quoted" line'))
print(("reverse me"):reverse():upper(), ("a,b,,c"):find(",,", 1, true))
local lines = {}
for i = 1, 40 do
    local line = ("line %d "):format(i):rep(6)
    lines[i] = line:gsub("%s+$", "")
end
print(#table.concat(lines, "\n"))
print(utf8.len("grün"), utf8.char(8364, 945))
