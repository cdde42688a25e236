# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DROOT=folder -P check_sources.cmake: refuses an upward include (docs/design.md, "Layout") and headers that break the rules of
# CONTRIBUTING.md: SPDX lines, #pragma once, at most 300 lines, includes of the library in angle brackets.

# From the lowest layer to the highest; layers of one line do not see each other.
set(layers
    "core" "backend" "autodiff" "nn" "objective" "problem" "linear"
    "inner,outer"
    "hypergradient" "solver" "algorithms" "evaluation" "bilevel,testing")
set(rank 0)
foreach(row IN LISTS layers)
    string(REPLACE "," ";" row "${row}")
    foreach(layer IN LISTS row)
        set(rank_${layer} ${rank})
    endforeach()
    math(EXPR rank "${rank} + 1")
endforeach()
set(rank_data 0.5) # data and io know core alone …
set(rank_io 0.5)
set(reader_of_data "evaluation") # … and nobody below these knows them
set(reader_of_io "solver")

function(layer_of header result)
    string(REGEX MATCH "^[^/.]+" layer "${header}")
    set(${result} "${layer}" PARENT_SCOPE)
endfunction()

set(faults 0)
macro(fault text)
    message(NOTICE "${text}")
    math(EXPR faults "${faults} + 1")
endmacro()

file(GLOB_RECURSE headers RELATIVE "${ROOT}/include/bilevel" "${ROOT}/include/bilevel/*.hpp" "${ROOT}/include/bilevel/*.cuh")
foreach(header IN LISTS headers)
    set(file "${ROOT}/include/bilevel/${header}")
    layer_of("${header}" layer)
    if(NOT DEFINED rank_${layer})
        fault("${header}: '${layer}' is no layer of the design; the layers are listed in cmake/check_sources.cmake")
        continue()
    endif()

    file(READ "${file}" text)
    if(NOT text MATCHES "^// SPDX-FileCopyrightText: 2026 The bilevel authors\n// SPDX-License-Identifier: MIT\n#pragma once\n")
        fault("${header}:1: does not begin with the two SPDX lines and #pragma once")
    endif()
    string(REGEX MATCHALL "\n" newlines "${text}")
    list(LENGTH newlines lines)
    if(lines GREATER 300)
        fault("${header}:${lines}: has ${lines} lines; one concept a file, at most 300")
    endif()
    # nvcc takes it for the one outside of the inline namespace.
    if(text MATCHES "inline namespace BILEVEL_INSTRUCTION_SET {.*\nnamespace detail {")
        fault("${header}: a namespace 'detail' within BILEVEL_INSTRUCTION_SET; give it a name of its own")
    endif()
    if(text MATCHES "[]] BILEVEL_HOST_DEVICE")
        fault("${header}: a lambda of host and device, whose copies nvcc mixes up between translation units (core/host_device.hpp): write BILEVEL_DEVICE, or a class")
    endif()

    file(STRINGS "${file}" includes REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS includes)
        if(line MATCHES "include[ \t]*\"")
            fault("${header}: '${line}': write <bilevel/…>")
        elseif(line MATCHES "<bilevel/([^>]+)>")
            set(included "${CMAKE_MATCH_1}")
            if(NOT EXISTS "${ROOT}/include/bilevel/${included}")
                fault("${header}: includes <bilevel/${included}>, which does not exist")
                continue()
            endif()
            layer_of("${included}" below)
            if(layer STREQUAL below OR layer STREQUAL "testing" OR layer STREQUAL "bilevel")
                continue()
            elseif(included STREQUAL "autodiff/dual.hpp" AND NOT layer STREQUAL "core")
                continue() # a scalar like any other
            elseif(header STREQUAL "autodiff/dual.hpp" AND NOT below STREQUAL "core")
                fault("${header}: includes <bilevel/${included}>, but the dual numbers know core alone")
            elseif(below MATCHES "^(data|io)$" AND layer MATCHES "^(data|io)$")
                fault("${header}: includes <bilevel/${included}>, but data and io know core alone")
            elseif(below MATCHES "^(data|io)$" AND rank_${layer} LESS rank_${reader_of_${below}})
                fault("${header}: includes <bilevel/${included}>, but only '${reader_of_${below}}' and what lies above it know ${below}")
            elseif(NOT rank_${below} LESS rank_${layer})
                fault("${header}: upward include of <bilevel/${included}>: '${below}' is not below '${layer}'")
            endif()
        endif()
    endforeach()
endforeach()

list(LENGTH headers count)
if(count EQUAL 0)
    fault("no header found in ${ROOT}/include/bilevel")
endif()
if(faults GREATER 0)
    message(FATAL_ERROR "${faults} faults in ${count} headers")
endif()
message(STATUS "${count} headers: every include points down, every header follows the rules")
