/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* plugin: a library whose constructor and destructor call the function of which LOADER_TEST_CALL is
 * the address. The thread has the dynamic loader's lock then. */
#include <stdint.h>
#include <stdlib.h>

static void call(void)
{
    const char *address = getenv("LOADER_TEST_CALL");

    if (address)
        ((void (*)(void))(uintptr_t)strtoull(address, NULL, 16))();
}

__attribute__((constructor)) static void come(void)
{
    call();
}

__attribute__((destructor)) static void go(void)
{
    call();
}
