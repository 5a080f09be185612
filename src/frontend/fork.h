/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fork: the library's handlers around fork(2).
 *
 * Nobody includes this but fork.c. The name is the linker's: nothing refers to a constructor, so a
 * static library of many objects must be asked for this one (src/CMakeLists.txt).
 */
#pragma once

/* Registers the handlers; called at load. */
void fork_register(void);
