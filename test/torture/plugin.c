/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* plugin: a library that uses memkind when it is loaded and when it is unloaded. */
#include <memkind.h>

#include <stddef.h>

static void *block;

__attribute__((constructor)) static void come(void)
{
    block = memkind_malloc(MEMKIND_DEFAULT, 3000);
}

__attribute__((destructor)) static void go(void)
{
    memkind_free(NULL, block);
}
