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

static struct {
    void (*free)(void *);
    void *(*realloc)(void *, size_t);
    size_t (*usable_size)(void *);
} next;

void next_find(void)
{
    next.free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    next.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    next.usable_size = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
}

void next_free(void *block)
{
    if (next.free)
        next.free(block);
}

void *next_realloc(void *block, size_t size)
{
    if (next.realloc)
        return next.realloc(block, size);
    errno = ENOMEM;
    return NULL;
}

size_t next_usable_size(void *block)
{
    return next.usable_size ? next.usable_size(block) : 0;
}
