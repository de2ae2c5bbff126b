# SPDX-License-Identifier: MIT
#
# OWNS     the compiler and the code-generation flags for one Cortex-M core.
# PICTURE  CAIRN_CORE   m0  m3  m4  m7  m33            (required)
#          CAIRN_FLOAT  hard | soft                    (default: hard where the core has an FPU; m0 and m3 have none)
# CALLERS  the presets m0 to m33; CMake reads it once more for each compiler probe.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CAIRN_CORE CAIRN_FLOAT)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CAIRN_CORE "" CACHE STRING "Cortex-M core: m0, m3, m4, m7 or m33")
set(CAIRN_FLOAT "" CACHE STRING "Floating-point ABI: hard or soft; empty: hard where there is an FPU")

if(NOT CAIRN_CORE MATCHES "^(m0|m3|m4|m7|m33)$")
  message(FATAL_ERROR "CAIRN_CORE: set it to m0, m3, m4, m7 or m33 (it is '${CAIRN_CORE}')")
endif()
set(cairn_float soft)
if(CAIRN_CORE MATCHES "^(m4|m7|m33)$" AND NOT CAIRN_FLOAT STREQUAL "soft")
  set(cairn_float hard)
elseif(CAIRN_FLOAT STREQUAL "hard")
  message(FATAL_ERROR "CAIRN_FLOAT: the core ${CAIRN_CORE} has no FPU, set it to soft")
endif()

set(CMAKE_C_FLAGS_INIT
    "-mcpu=cortex-${CAIRN_CORE} -mthumb -mfloat-abi=${cairn_float} -masm-syntax-unified --specs=picolibc.specs")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
# picolibc.specs names its own linker script and crt0; firmware.cmake gives each machine's script and our start-up instead.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
