// SPDX-License-Identifier: MIT
//
// Runs a Lua script, with all of Lua's libraries that need no system.
//
//   run_lua SPAN SCRIPT    SPAN: bytes that malloc may have, 0: all there are. Not on the host.
//
// OWNS: nothing. CALLERS: test/check/programs.sh, on the host and on a board.
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#include "limit.h"

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},          {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
    {LUA_COLIBNAME, luaopen_coroutine}, {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
};

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    limit_set(argv[1]);
    lua_State *const lua = luaL_newstate();
    if (lua == NULL) {
        return 3;
    }
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    const int status = luaL_dofile(lua, argv[2]);
    if (status != LUA_OK) {
        printf("error: %s\n", lua_tostring(lua, -1));
    }
    lua_close(lua);
    return status;
}
