# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
#
# A toolchain file: compiles for 64-bit ARM processors on another one, by Debian's and Ubuntu's cross compiler, and runs tests in QEMU's emulation of such a processor.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi) # notes on calls between units of different compilers
# Packages of headers alone may describe themselves in a folder of the processor that they were installed on.
file(GLOB headers_alone /usr/lib/*-linux-gnu/cmake)
list(APPEND CMAKE_PREFIX_PATH ${headers_alone})
