# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DCOMPILER=g++ -DINCLUDE=folder -P names.cmake: fails where units for processors with other vectors have the same name for their instruction set, and
# so kernels of which the linker would keep one.
cmake_minimum_required(VERSION 3.24)

set(names "")
foreach(flags IN ITEMS x86-64 x86-64+sse3 x86-64+ssse3 x86-64+sse4.1 x86-64-v2 x86-64-v2+avx x86-64-v2+fma x86-64-v2+avx2 x86-64-v3 x86-64-v3+avx512f
                       x86-64-v4 x86-64-v4+avx512vbmi)
    string(REPLACE "+" ";-m" flags "-march=${flags}")
    execute_process(COMMAND "${COMPILER}" ${flags} -std=c++20 "-I${INCLUDE}" -E -P "${CMAKE_CURRENT_LIST_DIR}/name.cpp" OUTPUT_VARIABLE source
                    COMMAND_ERROR_IS_FATAL ANY)
    if(NOT source MATCHES "name_of_this_unit = ([a-z0-9_]+);" OR CMAKE_MATCH_1 STREQUAL "BILEVEL_INSTRUCTION_SET")
        message(FATAL_ERROR "${flags}: no name; the preprocessor says\n${source}")
    endif()
    set(name "${CMAKE_MATCH_1}")
    if(name IN_LIST names)
        message(FATAL_ERROR "${flags}: '${name}' is the name of another instruction set as well, among ${names}")
    endif()
    list(APPEND names "${name}")
endforeach()
message(STATUS "${names}")
