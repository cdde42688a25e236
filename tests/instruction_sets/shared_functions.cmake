# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DNM=program -DPLAIN=object -DWIDE=object -P shared_functions.cmake: fails where two units that are compiled for different processors both define a
# function of the backend under one name, of which the linker would keep one.
cmake_minimum_required(VERSION 3.24)

foreach(unit IN ITEMS PLAIN WIDE)
    execute_process(COMMAND "${NM}" -P -g "${${unit}}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    # What takes or returns something of the backend names it, and counts. Weak symbols in small letters are not defined here.
    string(REGEX MATCHALL "[^ \n]*7bilevel7backend[^ \n]* [BDRTVWu] " ${unit} "${symbols}")
    list(TRANSFORM ${unit} REPLACE " . $" "")
    if(NOT ${unit})
        message(FATAL_ERROR "${${unit}}: no function of the backend; found\n${symbols}")
    endif()
endforeach()

# Headers of the backend that are without the inline namespace, see backend/instruction_set.hpp: where the arrays of kernels lie, and what kernels are called
# with, which the solver and every backend share.
set(allowed "(11host_arrays|20convolution_geometry|10activationIfE)")
set(shared "")
foreach(symbol IN LISTS PLAIN)
    if(symbol IN_LIST WIDE AND NOT symbol MATCHES "7bilevel7backend${allowed}")
        string(APPEND shared "\n${symbol}")
    endif()
endforeach()
if(shared)
    message(FATAL_ERROR "the linker would keep one of each of these, whichever processor it is for:${shared}")
endif()
list(LENGTH PLAIN count)
message(STATUS "none of ${count} functions is shared")
