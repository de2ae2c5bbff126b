# SPDX-License-Identifier: MIT
#
# OWNS     tests of real threads, each also under the thread sanitizer: where clang has one for this machine, and no other sanitizer is on.
# PICTURE  cairn_add_thread_unit(<name> <pattern> <part>...)     as cairn_add_unit, and <name>_tsan with the files of lib whose names match, in place of the library's
# CALLERS  test/model, test/port; on hosts.
include_guard()
find_package(Threads REQUIRED)

function(cairn_add_thread_unit name pattern)
  set(parts LIBS Threads::Threads TIMEOUT 600 HOST_ONLY ${ARGN})
  cairn_add_unit(${name} ${parts})
  if(NOT CMAKE_C_COMPILER_ID STREQUAL Clang OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8 OR CAIRN_SANITIZE)
    return()
  endif()
  get_target_property(sources cairn SOURCES)
  list(FILTER sources INCLUDE REGEX "${pattern}")
  cairn_add_unit(${name}_tsan ${parts})
  target_sources(${name}_tsan PRIVATE ${sources})
  target_compile_options(${name}_tsan PRIVATE -fsanitize=thread)
  target_link_options(${name}_tsan PRIVATE -fsanitize=thread)
  set_tests_properties(${name}_tsan PROPERTIES ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1")
endfunction()
