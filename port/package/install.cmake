# SPDX-License-Identifier: MIT
#
# OWNS     what `cmake --install` writes. It may be moved afterwards: nothing in it names an absolute path.
# PICTURE  <prefix>/lib/libcairn.a
#          <prefix>/lib/libcairn-malloc.so    where CAIRN_MALLOC is on: for LD_PRELOAD, and no target of the package
#          <prefix>/lib/cmake/cairn/      find_package(cairn): the target cairn::cairn
#          <prefix>/lib/pkgconfig/        pkg-config cairn
#          <prefix>/include/cairn/        the public headers; in config/ the application's own, where CAIRN_CONFIG_FILE was an absolute path
# INVARIANTS
#          1. The settings that the library was built with reach whoever uses it, by CMake and by pkg-config.
# CALLERS  the top CMakeLists.txt, where CAIRN_INSTALL is on.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# While MAJOR is 0, MINOR may break (docs/VERSIONS.md).
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cairn)
set(version_file ${PROJECT_BINARY_DIR}/package/cairnConfigVersion.cmake)
write_basic_package_version_file(${version_file} COMPATIBILITY SameMinorVersion)

target_include_directories(cairn PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS cairn EXPORT cairn ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET cairn-malloc)
  install(TARGETS cairn-malloc LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(EXPORT cairn NAMESPACE cairn:: FILE cairnConfig.cmake DESTINATION ${package_dir})
install(FILES ${version_file} DESTINATION ${package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/include/cairn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
if(cairn_config_travels)
  install(FILES ${CAIRN_CONFIG_FILE} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cairn/config)
endif()

# The prefix, seen from cairn.pc, and the folders, seen from the prefix.
set(pc_flags)
foreach(name HARDEN GRANULE)
  if(NOT CAIRN_${name} STREQUAL "")
    string(APPEND pc_flags " -DCAIRN_${name}=${CAIRN_${name}}")
  endif()
endforeach()
if(NOT CAIRN_CONFIG_FILE STREQUAL "")
  # pkg-config splits what it reads as a shell does, and quotes what it prints.
  string(REGEX REPLACE "([] \"'#$&()*<>?[`{|}~])" "\\\\\\1" name "${cairn_installed_config}")
  string(APPEND pc_flags " -DCAIRN_CONFIG_FILE=\\\"${name}\\\"")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  file(RELATIVE_PATH pc_${folder} ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_${folder}})
endforeach()
file(RELATIVE_PATH pc_up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
cmake_path(SET pc_up NORMALIZE "${pc_up}.")
configure_file(${CMAKE_CURRENT_LIST_DIR}/cairn.pc.in ${PROJECT_BINARY_DIR}/package/cairn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/cairn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
