/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * program: a program as somebody has it who uses an installed libmemkind, whichever way it was
 * linked. Functions of its own happen to be called as internal ones of the library are; nobody else
 * may call them. Prints the library's version if all went well.
 */
#include <hbwmalloc.h>
#include <memkind.h>
#include <stdio.h>
#include <string.h>

int pool_map(void);
int memkind_je_arena_init(void);

static int strangers;

int pool_map(void)
{
    return ++strangers;
}

int memkind_je_arena_init(void)
{
    return ++strangers;
}

int main(void)
{
    memkind_t kinds[] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, MEMKIND_INTERLEAVE};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char *block = memkind_malloc(kinds[i], 1000000);

        if (!block || memkind_detect_kind(block) != kinds[i])
            return 1;
        memset(block, 1, 1000000);
        memkind_free(NULL, block);
    }
    hbw_free(hbw_malloc(100));
    if (strangers)
        return 2;
    printf("%d\n", memkind_get_version());
    return 0;
}
