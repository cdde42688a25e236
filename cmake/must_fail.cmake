# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# cmake -DCOMMAND="program;arguments" -DMATCHES=regex -P must_fail.cmake: succeeds when the command exits non-zero, by itself and not by a
# signal, and prints one line that matches.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status MATCHES "^[1-9][0-9]*$")
    message(FATAL_ERROR "expected a non-zero exit, but the status is '${status}'\n${said}")
endif()
if(NOT said MATCHES "(^|\n)[^\n]*${MATCHES}")
    message(FATAL_ERROR "refused, but not with a line that matches '${MATCHES}':\n${said}")
endif()
message(STATUS "refused: ${said}")
