# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# bilevel_own_target(TARGET): links our own test, example or benchmark to the library, and sets the flags that users must never inherit.
include_guard()

set(bilevel_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12
   AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    list(APPEND bilevel_warnings -Wno-use-after-free) # false alarms in Eigen 3.4 from -O1 on
    if(BILEVEL_NATIVE)
        list(APPEND bilevel_warnings -Wno-maybe-uninitialized -Wno-uninitialized) # false alarms in GCC's own AVX-512 header
    endif()
endif()
if(BILEVEL_WARNINGS_AS_ERRORS)
    list(APPEND bilevel_warnings -Werror)
endif()

set(bilevel_memory "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(bilevel_memory --param=ggc-min-heapsize=1048576) # KiB: below, it does not collect garbage, which is a sixth of its time
endif()

function(bilevel_own_target target)
    target_link_libraries(${target} PRIVATE bilevel::bilevel)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${bilevel_warnings};${bilevel_memory}>") # nvcc's own code would drown the warnings
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    if(BILEVEL_NATIVE)
        target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-march=native>")
    endif()
    if(BILEVEL_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${BILEVEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
        if(BILEVEL_SANITIZE_QUICKLY)
            # What a null pointer or one beyond its array leads to, the address sanitizer sees: with these too the kernels take twice as long to compile.
            target_compile_options(${target} PRIVATE -fno-sanitize=null,object-size,pointer-overflow)
        endif()
        target_link_options(${target} PRIVATE -fsanitize=${BILEVEL_SANITIZE})
    endif()
endfunction()
