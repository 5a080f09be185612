/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * os_failed: a system call that failed, in the log. For the files of os.h alone.
 *
 * Threads: any. errno stays.
 */
#pragma once

#include <stddef.h>

/* `size`: bytes that it was about; 0: it was not about bytes. Returns errno. */
int os_failed(const char *call, size_t size);
