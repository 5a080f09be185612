/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* plugin: built twice under two names, so that a program opens the one where the other one was. */
#include <stdlib.h>

__attribute__((visibility("default"))) void *ask(size_t size);

void *ask(size_t size)
{
    void *volatile block = malloc(size);

    return block;
}
