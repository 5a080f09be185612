/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see serve.h. */
#include "serve.h"

void *serve(memkind_t kind, size_t size, size_t alignment, enum filling filling)
{
    void *block = serve_alone(kind, size, alignment, filling);

    if (!block && kind != MEMKIND_DEFAULT)
        block = serve_alone(MEMKIND_DEFAULT, size, alignment, filling);
    return block;
}
