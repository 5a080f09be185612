/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* broken: a calloc with a defect, for test_torture.sh: large blocks are not all zeroes. */
#include <dlfcn.h>
#include <memkind.h>

__attribute__((visibility("default"))) void *memkind_calloc(memkind_t kind, size_t num, size_t size)
{
    void *(*calloc)(memkind_t, size_t, size_t) =
        (void *(*)(memkind_t, size_t, size_t))dlsym(RTLD_NEXT, "memkind_calloc");
    char *block = calloc(kind, num, size);

    if (block && num * size > 20000)
        block[num * size - 1] = 1;
    return block;
}
