# SPDX-License-Identifier: MIT
#
# OWNS     the compiler and the code-generation flags for one RISC-V core.
# PICTURE  CAIRN_CORE   rv32     RV32IMAC, ilp32: no floating point, no counting of zeros
# CALLERS  the preset rv32; CMake reads it once more for each compiler probe.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CAIRN_CORE)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_CXX_COMPILER riscv64-unknown-elf-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CAIRN_CORE rv32 CACHE STRING "RISC-V core: rv32")

if(NOT CAIRN_CORE STREQUAL rv32)
  message(FATAL_ERROR "CAIRN_CORE: set it to rv32 (it is '${CAIRN_CORE}')")
endif()

set(CMAKE_C_FLAGS_INIT "-march=rv32imac -mabi=ilp32 --specs=picolibc.specs")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}") # Debian has no C++ library for it: the tests of cairn/*.hpp are left out
# picolibc.specs names its own linker script and crt0; firmware.cmake gives each machine's script and our start-up instead.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
