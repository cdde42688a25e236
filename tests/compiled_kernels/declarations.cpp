// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// A source of its own for the precompiled header, which CMake includes.
