# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# bilevel_must_not_compile(NAME case SOURCE file MATCHES regex…): a test that passes when the compiler refuses the source with our own words,
# each regex being found in what it says, and accepts the same source with BILEVEL_CONTROL defined: so the mistake alone is refused.
if(NOT CMAKE_SCRIPT_MODE_FILE)
    include_guard()
    set(bilevel_must_not_compile_script "${CMAKE_CURRENT_LIST_FILE}")

    # A target that is never built: it knows the include folders of the library.
    file(WRITE "${PROJECT_BINARY_DIR}/must_not_compile/includes.cpp" "")
    add_library(bilevel_includes OBJECT EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/must_not_compile/includes.cpp")
    target_link_libraries(bilevel_includes PRIVATE bilevel::bilevel)

    # What trains, precompiled, since most sources include that and each is read twice. g++ and clang look for NAME.gch where they are told to include NAME.
    set(bilevel_precompiled "${PROJECT_BINARY_DIR}/must_not_compile/bilevel.hpp")
    file(WRITE "${bilevel_precompiled}" "#include <bilevel/bilevel.hpp>\n")
    add_custom_command(
        OUTPUT "${bilevel_precompiled}.gch"
        COMMAND "${CMAKE_CXX_COMPILER}" -std=c++20 "-I$<JOIN:$<TARGET_PROPERTY:bilevel_includes,INCLUDE_DIRECTORIES>,;-I>" -MD -MT "${bilevel_precompiled}.gch"
                -MF "${bilevel_precompiled}.d" -x c++-header "${bilevel_precompiled}" -o "${bilevel_precompiled}.gch"
        DEPENDS "${bilevel_precompiled}"
        DEPFILE "${bilevel_precompiled}.d"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(must_not_compile_precompiled ALL DEPENDS "${bilevel_precompiled}.gch")

    function(bilevel_must_not_compile)
        cmake_parse_arguments(PARSE_ARGV 0 case "" "NAME;SOURCE" "MATCHES")
        string(REPLACE ";" "\n" words "${case_MATCHES}")
        file(WRITE "${PROJECT_BINARY_DIR}/must_not_compile/${case_NAME}.words" "${words}\n")
        set(compiler "${CMAKE_CXX_COMPILER}")
        set(flags -fsyntax-only -include "${bilevel_precompiled}")
        set(labels compile)
        if(case_SOURCE MATCHES "[.]cu$")
            set(compiler "${CMAKE_CUDA_COMPILER}")
            set(flags --extended-lambda --expt-relaxed-constexpr -ptx -o /dev/null)
            list(APPEND labels cuda)
        endif()
        add_test(NAME must_not_compile.${case_NAME}
                 COMMAND "${CMAKE_COMMAND}" "-DCOMPILER=${compiler}" "-DFLAGS=${flags}" "-DSOURCE=${case_SOURCE}"
                         "-DINCLUDES=$<TARGET_PROPERTY:bilevel_includes,INCLUDE_DIRECTORIES>"
                         "-DWORDS=${PROJECT_BINARY_DIR}/must_not_compile/${case_NAME}.words"
                         -P "${bilevel_must_not_compile_script}")
        set_tests_properties(must_not_compile.${case_NAME} PROPERTIES LABELS "${labels}" TIMEOUT 300)
    endfunction()
    return()
endif()

set(flags -std=c++20 ${FLAGS})
foreach(folder IN LISTS INCLUDES)
    list(APPEND flags "-I${folder}")
endforeach()

execute_process(COMMAND "${COMPILER}" ${flags} -DBILEVEL_CONTROL "${SOURCE}" RESULT_VARIABLE status ERROR_VARIABLE said)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the control does not compile: ${SOURCE} with -DBILEVEL_CONTROL\n${said}")
endif()
execute_process(COMMAND "${COMPILER}" ${flags} "${SOURCE}" RESULT_VARIABLE status ERROR_VARIABLE said)
if(status EQUAL 0)
    message(FATAL_ERROR "the mistake compiles: ${SOURCE}")
endif()
file(STRINGS "${WORDS}" words)
foreach(word IN LISTS words)
    if(NOT said MATCHES "${word}")
        message(FATAL_ERROR "the compiler refuses ${SOURCE}, but not with the words '${word}'; it says\n${said}")
    endif()
endforeach()
