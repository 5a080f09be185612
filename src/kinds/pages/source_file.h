/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What page_source_file's open() is asked for, and what can be asked before. */
#pragma once

#include <stddef.h>

struct source_file_request {
    const char *directory; /* copied */
    size_t limit;          /* bytes; 0: none */
};

/* MEMKIND_SUCCESS: a file in the directory is mapped with DAX; MEMKIND_ERROR_MMAP: not so;
 * MEMKIND_ERROR_RUNTIME: no file there. Any thread. */
int source_file_check_dax(const char *directory);
