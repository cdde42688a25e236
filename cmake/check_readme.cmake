# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DROOT=… -P check_readme.cmake: the README shows the program that examples/readme.cpp compiles, between its marks, letter by letter.
file(READ "${ROOT}/README.md" readme)
file(READ "${ROOT}/examples/readme.cpp" program)
string(FIND "${program}" "// [readme]\n" begin)
string(FIND "${program}" "// [readme]\n" end REVERSE)
math(EXPR begin "${begin} + 12")
math(EXPR length "${end} - ${begin}")
if(length LESS 100)
    message(FATAL_ERROR "examples/readme.cpp: the two marks // [readme] are not there")
endif()
string(SUBSTRING "${program}" ${begin} ${length} program)
string(FIND "${readme}" "```cpp\n${program}```" found)
if(found EQUAL -1)
    message(FATAL_ERROR "README.md does not show the program of examples/readme.cpp as it is")
endif()
