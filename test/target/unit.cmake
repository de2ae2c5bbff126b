# SPDX-License-Identifier: MIT
#
# OWNS     how a unit test with cmocka's interface is built: with cmocka on the host, with the shim beside this file elsewhere.
# PICTURE  cairn_add_unit(<name> SOURCES <c>... [LIBS <l>...] [DEFINES <d>...] [INCLUDES <dir>...] [ARGS <a>...]
#                         [TIMEOUT <s>] [LABELS <l>...] [SMALL] [COUNTED] [HOST_ONLY] [TARGET_ONLY])
#              host        bin/<name>, and a ctest <name>
#              a board     bin/<name>.elf, and a ctest <name> that runs it in QEMU; on the m0 preset the machine is mps2-an385,
#                          which runs Armv6-M code and has room
#              SMALL       on m0 also bin/<name>_microbit.elf and its ctest, in 16 KB of RAM
#              COUNTED     QEMU counts instructions (counter.h)
#          Every test sees cairn's public headers and those under lib/. TIMEOUT defaults to 120 s.
# CALLERS  the top CMakeLists.txt includes it; test/CMakeLists.txt calls the function.
set(cairn_shim_dir ${CMAKE_CURRENT_LIST_DIR})

# cmocka exists for the host's own word size only.
if(NOT CMAKE_CROSSCOMPILING AND NOT CMAKE_C_FLAGS MATCHES "-m32")
  find_library(CAIRN_CMOCKA_LIBRARY cmocka)
  find_path(CAIRN_CMOCKA_INCLUDE cmocka.h)
endif()

function(cairn_cmocka_library)
  if(TARGET cairn_cmocka)
    return()
  endif()
  if(CAIRN_CMOCKA_LIBRARY AND CAIRN_CMOCKA_INCLUDE)
    add_library(cairn_cmocka INTERFACE)
    target_include_directories(cairn_cmocka SYSTEM INTERFACE ${CAIRN_CMOCKA_INCLUDE})
    target_link_libraries(cairn_cmocka INTERFACE ${CAIRN_CMOCKA_LIBRARY})
  else()
    add_library(cairn_cmocka STATIC EXCLUDE_FROM_ALL ${cairn_shim_dir}/cmocka_shim.c)
    target_include_directories(cairn_cmocka PUBLIC ${cairn_shim_dir})
    target_compile_options(cairn_cmocka PRIVATE -ffunction-sections -fdata-sections)
    target_link_libraries(cairn_cmocka PRIVATE cairn_warnings)
  endif()
endfunction()

function(cairn_unit_options name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "INCLUDES")
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/lib ${arg_INCLUDES})
endfunction()

function(cairn_add_unit name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SMALL;COUNTED;HOST_ONLY;TARGET_ONLY" "TIMEOUT"
                        "SOURCES;LIBS;DEFINES;INCLUDES;ARGS;LABELS")
  cairn_cmocka_library()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT CMAKE_CROSSCOMPILING)
    if(NOT arg_TARGET_ONLY)
      add_executable(${name} ${arg_SOURCES})
      target_compile_definitions(${name} PRIVATE ${arg_DEFINES})
      target_link_libraries(${name} PRIVATE ${arg_LIBS} cairn cairn_warnings cairn_cmocka)
      cairn_unit_options(${name} INCLUDES ${arg_INCLUDES})
      add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
      set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "unit;${arg_LABELS}")
    endif()
    return()
  endif()
  if(arg_HOST_ONLY)
    return()
  endif()
  set(counted)
  if(arg_COUNTED)
    set(counted COUNTED)
  endif()
  set(common SOURCES ${arg_SOURCES} LIBS ${arg_LIBS} cairn_cmocka DEFINES ${arg_DEFINES} ARGS ${arg_ARGS}
      TIMEOUT ${arg_TIMEOUT} LABELS unit ${arg_LABELS} ${counted})
  set(machine ${cairn_default_machine_${CAIRN_CORE}})
  if(machine STREQUAL microbit)
    if(arg_SMALL)
      cairn_add_firmware_test(${name}_microbit ${common} MACHINE microbit)
      cairn_unit_options(${name}_microbit INCLUDES ${arg_INCLUDES})
    endif()
    set(machine mps2-an385)
  endif()
  cairn_add_firmware_test(${name} ${common} MACHINE ${machine})
  cairn_unit_options(${name} INCLUDES ${arg_INCLUDES})
endfunction()
