# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DNM=program -DUNITS=objects -P shared_functions.cmake: fails where two units that are compiled for different processors both define a function of
# the backend under one name, of which the linker would keep one.
cmake_minimum_required(VERSION 3.24)

# Headers of the backend that are without the inline namespace, see backend/instruction_set.hpp: where the arrays of kernels lie, and what kernels are called
# with, which the solver and every backend share.
set(allowed "(11host_arrays|20convolution_geometry|10activationIfE)")
set(all "")
foreach(unit IN LISTS UNITS)
    execute_process(COMMAND "${NM}" -P -g "${unit}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    # What takes or returns something of the backend names it, and counts. Weak symbols in small letters are not defined here.
    string(REGEX MATCHALL "[^ \n]*7bilevel7backend[^ \n]* [BDRTVWu] " functions "${symbols}")
    if(NOT functions)
        message(FATAL_ERROR "${unit}: no function of the backend; found\n${symbols}")
    endif()
    list(TRANSFORM functions REPLACE " . $" "")
    list(FILTER functions EXCLUDE REGEX "7bilevel7backend${allowed}")
    list(APPEND all ${functions})
endforeach()

list(SORT all)
set(previous "")
set(shared "")
foreach(symbol IN LISTS all)
    if("${symbol}" STREQUAL "${previous}")
        string(APPEND shared "\n${symbol}")
    endif()
    set(previous "${symbol}")
endforeach()
if(shared)
    message(FATAL_ERROR "the linker would keep one of each of these, whichever processor it is for:${shared}")
endif()
list(LENGTH all count)
message(STATUS "none of ${count} functions is shared")
