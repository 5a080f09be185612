/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * operators: the replaceable operators new and delete of C++17, by their names in the Itanium ABI,
 * so that nothing of a C++ runtime is needed here.
 *
 * Where there is no memory, the program's own runtime does what is to be done: its operator asks
 * malloc() once more, calls the new-handler, and throws std::bad_alloc, through these functions
 * (-fexceptions). A process without a C++ runtime has nobody who could catch; NULL is all there
 * is then.
 *
 * Any thread.
 */
#include <stdlib.h>

#include "family.h"
#include "next.h"

#define PUBLIC __attribute__((visibility("default")))
#define ALIGNED_NOTHROW "St11align_val_tRKSt9nothrow_t"

/* --- new -------------------------------------------------------------------------------------- */

/* The four forms of a name: their arguments are those of the runtime's, which are handed on. */
#define NEW(name)                                                                             \
    PUBLIC void *name(size_t size)                                                            \
    {                                                                                         \
        void *block = family_alloc(size, __builtin_return_address(0));                        \
        void *(*next)(size_t);                                                                \
                                                                                              \
        if (__builtin_expect(block != NULL, 1))                                               \
            return block;                                                                     \
        next = (void *(*)(size_t))next_function(#name);                                       \
        return next ? next(size) : NULL;                                                      \
    }                                                                                         \
    PUBLIC void *name##RKSt9nothrow_t(size_t size, const void *nothrow)                       \
    {                                                                                         \
        void *block = family_alloc(size, __builtin_return_address(0));                        \
        void *(*next)(size_t, const void *);                                                  \
                                                                                              \
        if (__builtin_expect(block != NULL, 1))                                               \
            return block;                                                                     \
        next = (void *(*)(size_t, const void *))next_function(#name "RKSt9nothrow_t");        \
        return next ? next(size, nothrow) : NULL;                                             \
    }                                                                                         \
    PUBLIC void *name##St11align_val_t(size_t size, size_t alignment)                         \
    {                                                                                         \
        void *block = family_aligned(alignment, size, __builtin_return_address(0));           \
        void *(*next)(size_t, size_t);                                                        \
                                                                                              \
        if (__builtin_expect(block != NULL, 1))                                               \
            return block;                                                                     \
        next = (void *(*)(size_t, size_t))next_function(#name "St11align_val_t");             \
        return next ? next(size, alignment) : NULL;                                           \
    }                                                                                         \
    PUBLIC void *name##St11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,           \
                                                     const void *nothrow)                     \
    {                                                                                         \
        void *block = family_aligned(alignment, size, __builtin_return_address(0));           \
        void *(*next)(size_t, size_t, const void *);                                          \
                                                                                              \
        if (__builtin_expect(block != NULL, 1))                                               \
            return block;                                                                     \
        next = (void *(*)(size_t, size_t, const void *))next_function(#name ALIGNED_NOTHROW); \
        return next ? next(size, alignment, nothrow) : NULL;                                  \
    }

NEW(_Znwm)
NEW(_Znam)

/* --- delete ----------------------------------------------------------------------------------- */

/* All forms of a name are free(): what comes after the block says nothing that it needs, and lies
 * in registers. */
#define DELETE(name)                                                               \
    PUBLIC void name(void *block)                                                  \
    {                                                                              \
        free(block);                                                               \
    }                                                                              \
    PUBLIC void name##m(void *block) __attribute__((alias(#name)));                \
    PUBLIC void name##RKSt9nothrow_t(void *block) __attribute__((alias(#name)));   \
    PUBLIC void name##St11align_val_t(void *block) __attribute__((alias(#name)));  \
    PUBLIC void name##mSt11align_val_t(void *block) __attribute__((alias(#name))); \
    PUBLIC void name##St11align_val_tRKSt9nothrow_t(void *block) __attribute__((alias(#name)));

DELETE(_ZdlPv)
DELETE(_ZdaPv)
