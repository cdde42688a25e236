# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# What find_package(bilevel) reads: headers, targets, version, and the search for what the headers include.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(bilevel_package "${CMAKE_INSTALL_DATADIR}/cmake/bilevel")
install(TARGETS bilevel EXPORT bilevel-targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT bilevel-targets NAMESPACE bilevel:: DESTINATION "${bilevel_package}")

configure_package_config_file(cmake/bilevel-config.cmake.in "${PROJECT_BINARY_DIR}/bilevel-config.cmake"
                              INSTALL_DESTINATION "${bilevel_package}" NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bilevel-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/bilevel-config.cmake" "${PROJECT_BINARY_DIR}/bilevel-config-version.cmake"
              cmake/bilevel-dependencies.cmake
        DESTINATION "${bilevel_package}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
