# SPDX-License-Identifier: MIT
#
# OWNS     how an ELF for a QEMU machine is built and run.
# PICTURE  cairn_add_firmware(<name> SOURCES <c>... [MACHINE <m>] [LIBS <l>...] [DEFINES <d>...])
#              An executable bin/<name>.elf: the sources, the machine's board library (start-up, semihosting, counter), cairn,
#              and the project's warnings. MACHINE defaults to the preset's: microbit (m0), mps2-an385 (m3), mps2-an386 (m4),
#              mps2-an500 (m7), mps2-an505 (m33), virt (rv32). Armv6-M code runs on mps2-an385 too, where it has MB of RAM.
#          cairn_add_firmware_test(<name> SOURCES <c>... [MACHINE <m>] [LIBS ...] [DEFINES ...]
#                                  [ARGS <a>...] [TIMEOUT <s>] [COUNTED] [EXPECT <file>] [STATUS <n>] [LABELS <l>...])
#              The same, and a ctest <name> that runs it in QEMU: it passes when main() returns 0. ARGS become argv[1..].
#              COUNTED adds -icount shift=8, which the instruction counter needs. EXPECT compares what the program prints with a
#              file; STATUS is the exit status that counts as a pass. TIMEOUT defaults to 60 s.
#          cairn_add_firmware_run(<test> <elf target> ...)
#              One more ctest over an ELF that is already there; the same ARGS, TIMEOUT, COUNTED, EXPECT, STATUS, LABELS.
# CALLERS  the top CMakeLists.txt includes it; on a host preset the functions do nothing but warn.
set(cairn_board_dir ${CMAKE_CURRENT_LIST_DIR})
if(CMAKE_SYSTEM_PROCESSOR STREQUAL riscv)
  set(cairn_port_dir ${PROJECT_SOURCE_DIR}/port/riscv)
else()
  set(cairn_port_dir ${PROJECT_SOURCE_DIR}/port/cortexm)
endif()
set(cairn_default_machine_m0 microbit)
set(cairn_default_machine_m3 mps2-an385)
set(cairn_default_machine_m4 mps2-an386)
set(cairn_default_machine_m7 mps2-an500)
set(cairn_default_machine_m33 mps2-an505)
set(cairn_default_machine_rv32 virt)

# The board library of one machine, made when the first program asks for it. No archive: with link-time optimisation the linker would leave in it what
# only the C library calls.
function(cairn_board_library machine)
  set(board cairn_board_${machine})
  if(TARGET ${board})
    return()
  endif()
  set(script ${cairn_port_dir}/ld/${machine}.ld)
  if(NOT EXISTS ${script})
    message(FATAL_ERROR "MACHINE ${machine}: there is no ${script}")
  endif()
  add_library(${board} OBJECT EXCLUDE_FROM_ALL
    ${cairn_port_dir}/start.c ${cairn_port_dir}/fault.c ${cairn_port_dir}/counter.c
    ${cairn_board_dir}/program.c ${cairn_board_dir}/semihost.c ${cairn_board_dir}/console.c)
  target_include_directories(${board} PUBLIC ${cairn_board_dir} ${cairn_port_dir})
  target_compile_options(${board} PRIVATE -ffunction-sections -fdata-sections)
  if(machine STREQUAL microbit)
    target_compile_definitions(${board} PUBLIC CAIRN_BOARD_SMALL=1)
  else()
    target_compile_definitions(${board} PUBLIC CAIRN_BOARD_SMALL=0)
  endif()
  target_link_libraries(${board} PRIVATE cairn_warnings)
  target_link_options(${board} INTERFACE -T${script} -L${cairn_board_dir} -Wl,--gc-sections -Wl,--no-warn-rwx-segments)
  set_target_properties(${board} PROPERTIES INTERFACE_LINK_DEPENDS "${script};${cairn_board_dir}/sections.ld")
endfunction()

function(cairn_add_firmware name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "COUNTED" "MACHINE;TIMEOUT;EXPECT;STATUS" "SOURCES;LIBS;DEFINES;ARGS;LABELS")
  if(NOT CMAKE_CROSSCOMPILING)
    message(AUTHOR_WARNING "cairn_add_firmware(${name}) needs a preset of a board")
    return()
  endif()
  if(NOT arg_MACHINE)
    set(arg_MACHINE ${cairn_default_machine_${CAIRN_CORE}})
  endif()
  cairn_board_library(${arg_MACHINE})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES CAIRN_MACHINE ${arg_MACHINE} SUFFIX .elf)
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
  target_compile_definitions(${name} PRIVATE ${arg_DEFINES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} cairn cairn_warnings cairn_board_${arg_MACHINE})
endfunction()

function(cairn_add_firmware_run test elf)
  cmake_parse_arguments(PARSE_ARGV 2 arg "COUNTED" "MACHINE;TIMEOUT;EXPECT;STATUS" "SOURCES;LIBS;DEFINES;ARGS;LABELS")
  if(NOT CMAKE_CROSSCOMPILING)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set(flags)
  if(arg_COUNTED)
    list(APPEND flags -i)
  endif()
  if(arg_EXPECT)
    cmake_path(ABSOLUTE_PATH arg_EXPECT)
    list(APPEND flags -e ${arg_EXPECT})
  endif()
  if(arg_STATUS)
    list(APPEND flags -s ${arg_STATUS})
  endif()
  get_target_property(machine ${elf} CAIRN_MACHINE)
  add_test(NAME ${test}
           COMMAND sh ${cairn_board_dir}/qemu.sh ${flags} ${machine} $<TARGET_FILE:${elf}> ${arg_ARGS})
  set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "qemu;${arg_LABELS}")
endfunction()

function(cairn_add_firmware_test name)
  cairn_add_firmware(${name} ${ARGN})
  cairn_add_firmware_run(${name} ${name} ${ARGN})
endfunction()
