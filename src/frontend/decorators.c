/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * decorators: the allocation functions of a library with decorators; see decorators.h.
 *
 * Part of the library only with MEMKIND_DECORATORS. A decorator is a weak reference: NULL where
 * the program, its other libraries included, defines no such function. Any thread; no state.
 */
#include <memkind.h>

#include <errno.h>

#include "frontend/export.h"

#define WEAK(name)                                                                        \
    extern __typeof__(memkind_##name##_pre) memkind_##name##_pre __attribute__((weak));   \
    extern __typeof__(memkind_##name##_post) memkind_##name##_post __attribute__((weak)); \
    extern __typeof__(memkind_##name) plain_##name

WEAK(malloc);
WEAK(calloc);
WEAK(posix_memalign);
WEAK(realloc);
WEAK(free);

/* The operation sees the errno that the caller left; the caller sees what a post leaves. */
#define BEFORE(name, ...)                      \
    do {                                       \
        int error = errno;                     \
                                               \
        if (memkind_##name##_pre)              \
            memkind_##name##_pre(__VA_ARGS__); \
        errno = error;                         \
    } while (0)

#define AFTER(name, ...)                        \
    do {                                        \
        if (memkind_##name##_post)              \
            memkind_##name##_post(__VA_ARGS__); \
    } while (0)

EXPORT void *memkind_malloc(memkind_t kind, size_t size)
{
    void *result;

    BEFORE(malloc, &kind, &size);
    result = plain_malloc(kind, size);
    AFTER(malloc, kind, size, &result);
    return result;
}

EXPORT void *memkind_calloc(memkind_t kind, size_t num, size_t size)
{
    void *result;

    BEFORE(calloc, &kind, &num, &size);
    result = plain_calloc(kind, num, size);
    AFTER(calloc, kind, num, size, &result);
    return result;
}

EXPORT int memkind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size)
{
    int result;

    BEFORE(posix_memalign, &kind, memptr, &alignment, &size);
    result = plain_posix_memalign(kind, memptr, alignment, size);
    AFTER(posix_memalign, kind, memptr, alignment, size, &result);
    return result;
}

EXPORT void *memkind_realloc(memkind_t kind, void *ptr, size_t size)
{
    void *result;

    BEFORE(realloc, &kind, &ptr, &size);
    result = plain_realloc(kind, ptr, size);
    AFTER(realloc, kind, ptr, size, &result);
    return result;
}

EXPORT void memkind_free(memkind_t kind, void *ptr)
{
    BEFORE(free, &kind, &ptr);
    plain_free(kind, ptr);
    AFTER(free, kind, ptr);
}
