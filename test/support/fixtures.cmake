# SPDX-License-Identifier: MIT
#
# OWNS     which fixture a test of test/unit stands on.
# PICTURE  cairn_unit_fixture(<name> <variable>)     the sources that belong to test/unit/<name>.c
# CALLERS  test/unit, test/single.
set(cairn_arena_units test_blocks test_change test_break test_break_others test_maps test_regions test_figures test_pools)
set(cairn_support_dir ${CMAKE_CURRENT_LIST_DIR})

function(cairn_unit_fixture name variable)
  set(fixture ${cairn_support_dir}/fixture.c)
  if(name IN_LIST cairn_arena_units)
    set(fixture ${cairn_support_dir}/arena_fixture.c ${PROJECT_SOURCE_DIR}/port/baremetal/memory.c)
  elseif(name MATCHES "^test_vm_")
    set(fixture ${cairn_support_dir}/vm_fixture.c)
  endif()
  if(name MATCHES "^test_store_")
    set(fixture ${PROJECT_SOURCE_DIR}/test/port/store_contract.c)
    if(name MATCHES "_flash")
      list(APPEND fixture ${cairn_support_dir}/flash.c ${cairn_support_dir}/flash_fixture.c)
    endif()
  endif()
  set(${variable} ${fixture} PARENT_SCOPE)
endfunction()
