/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What page_source_file's open() is asked for. */
#pragma once

#include <stddef.h>

struct source_file_request {
    const char *directory; /* copied */
    size_t limit;          /* bytes; 0: none */
};
