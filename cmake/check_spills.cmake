# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DNVCC=… -DSOURCE=… -DCUBIN=… -DFLAGS=… -P check_spills.cmake: compiles a source for one architecture, and refuses it where ptxas says that a kernel keeps
# registers in memory.
execute_process(COMMAND "${NVCC}" -std=c++20 -arch=sm_90 --extended-lambda --expt-relaxed-constexpr -Xptxas=-v -cubin ${FLAGS} "${SOURCE}" -o "${CUBIN}"
                ERROR_VARIABLE report OUTPUT_VARIABLE more RESULT_VARIABLE status)
string(APPEND report "${more}")
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${NVCC} ${SOURCE}: ${report}")
endif()
string(REGEX MATCHALL "Compiling entry function '[^']*'[^\n]*\n[^\n]*\n[^\n]*\n" kernels "${report}")
list(LENGTH kernels count)
if(count EQUAL 0)
    message(FATAL_ERROR "${SOURCE}: ptxas names no kernel: ${report}")
endif()
foreach(kernel IN LISTS kernels)
    if(kernel MATCHES "[1-9][0-9]* bytes (spill|stack frame)")
        message(FATAL_ERROR "registers in memory: ${kernel}")
    endif()
endforeach()
message(STATUS "${count} kernels, none of which spills")
