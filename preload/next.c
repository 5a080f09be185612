/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see next.h. */
#include "next.h"

#include <dlfcn.h>
#include <errno.h>

/* Libraries that a plugin opened with RTLD_LOCAL are not in the order of search. */
static const char *const runtimes[] = {"libstdc++.so.6", "libc++.so.1"};

void *next_function(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    for (size_t i = 0; !function && i < sizeof runtimes / sizeof runtimes[0]; i++) {
        void *library = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);

        if (!library)
            continue;
        function = dlsym(library, name);
        dlclose(library);
    }
    return function;
}

void next_free(void *block)
{
    void (*function)(void *) = (void (*)(void *))dlsym(RTLD_NEXT, "free");

    if (function)
        function(block);
}

void *next_realloc(void *block, size_t size)
{
    void *(*function)(void *, size_t) = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");

    if (function)
        return function(block, size);
    errno = ENOMEM;
    return NULL;
}

size_t next_usable_size(void *block)
{
    size_t (*function)(void *) = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");

    return function ? function(block) : 0;
}
