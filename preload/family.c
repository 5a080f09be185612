/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * family: malloc and all that belongs to it, with the rules of glibc 2.36, and C23's.
 *
 * malloc() and free() are jumps (place.h); every other function has a block of the library at hand
 * in the common case, inline but for the one call of memkind.h; all else is place.h. Any thread,
 * from the dynamic loader's first instruction that allocates to the last destructor.
 */
#include <memkind.h>

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"
#include "place.h"
#include "serve.h"

#define PUBLIC __attribute__((visibility("default")))

#define SMALL_MOST 4096 /* bytes that calloc() clears itself */

/* Where the program goes on: of functions that a program calls only. */
#define CALLER __builtin_return_address(0)

/* --- blocks that come ------------------------------------------------------------------------- */

void *family_alloc(size_t size, const void *caller)
{
    return place_malloc(size, caller);
}

PUBLIC void *malloc(size_t size)
{
    return place_malloc(size, CALLER);
}

/* Small blocks have been somebody's before: whoever serves them has to clear them, too. */
static void *malloc_zeroed(size_t size, const void *caller)
{
    void *block = place_malloc(size, caller);

    return likely(block) ? memset(block, 0, size) : NULL;
}

PUBLIC void *calloc(size_t count, size_t size)
{
    if (unlikely(__builtin_mul_overflow(count, size, &size))) {
        errno = ENOMEM;
        return NULL;
    }
    if (likely(place_is_simple(size)))
        return memkind_calloc(place_kind(), 1, serve_size(size));
    return size <= SMALL_MOST ? malloc_zeroed(size, CALLER) : place_alloc(size, 1, ZEROED, CALLER);
}

void *family_aligned(size_t alignment, size_t size, const void *caller)
{
    void *block;

    if (alignment <= 16)
        return family_alloc(size, caller);
    block = place_aligned(alignment, size);
    if (likely(block))
        return block;
    if (likely(place_is_simple(size) &&
               !memkind_posix_memalign(place_kind(), &block, alignment, serve_size(size))))
        return block;
    return place_alloc(size, alignment, AS_IS, caller);
}

PUBLIC int posix_memalign(void **result, size_t alignment, size_t size)
{
    int error = errno;
    void *block;

    if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    block = family_aligned(alignment, size, CALLER);
    errno = error;
    if (!block)
        return ENOMEM;
    *result = block;
    return 0;
}

/* Any alignment is rounded up to the next power of two. */
PUBLIC void *memalign(size_t alignment, size_t size)
{
    size_t allowed = 16;

    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    while (allowed < alignment)
        allowed *= 2;
    return family_aligned(allowed, size, CALLER);
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size) __attribute__((alias("memalign")));

PUBLIC void *valloc(size_t size)
{
    return family_aligned((size_t)sysconf(_SC_PAGESIZE), size, CALLER);
}

PUBLIC void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return family_aligned(page, size ? (size + page - 1) & -page : page, CALLER);
}

/* --- blocks that go --------------------------------------------------------------------------- */

PUBLIC void free(void *block)
{
    place_free(block);
}

/* C23 lets an allocator trust these; this one asks nobody. */
PUBLIC void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

PUBLIC void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    free_sized(block, size);
}

/* --- blocks that change ----------------------------------------------------------------------- */

/* What memkind_realloc() alone does not do: the block is not the library's, its kind has no more
 * memory, or the program is watched. */
static __attribute__((cold, noinline)) void *realloc_elsewhere(void *block, size_t size,
                                                               const void *caller)
{
    void *resized = place_resize(block, size);

    if (resized)
        return resized;
    return memkind_malloc_usable_size(NULL, block) ? place_move(block, size, caller)
                                                   : place_realloc_foreign(block, size, caller);
}

static inline void *change(void *block, size_t size, const void *caller)
{
    void *moved;

    if (!block)
        return family_alloc(size, caller);
    if (!size) {
        free(block);
        return NULL;
    }
    if (unlikely(place.resized))
        return realloc_elsewhere(block, size, caller);
    moved = memkind_realloc(NULL, block, serve_size(size));
    return likely(moved) ? moved : realloc_elsewhere(block, size, caller);
}

PUBLIC void *realloc(void *block, size_t size)
{
    return change(block, size, CALLER);
}

PUBLIC void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return change(block, total, CALLER);
}

/* --- questions -------------------------------------------------------------------------------- */

PUBLIC size_t malloc_usable_size(void *block)
{
    return memkind_usable_size_or(block, place_size_foreign);
}

/* As glibc: 1 if anything went back. What is to stay is not for the caller to say. */
PUBLIC int malloc_trim(size_t pad)
{
    (void)pad;
    return memkind_trim(NULL) > 0;
}

/* What glibc has of its own is not counted. */
PUBLIC struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 info = {0};
    size_t active = 0;

    memkind_update_cached_stats();
    (void)memkind_get_stat(NULL, MEMKIND_STAT_TYPE_ACTIVE, &active);
    (void)memkind_get_stat(NULL, MEMKIND_STAT_TYPE_RESIDENT, &info.arena);
    (void)memkind_get_stat(NULL, MEMKIND_STAT_TYPE_ALLOCATED, &info.uordblks);
    info.fordblks = info.arena > info.uordblks ? info.arena - info.uordblks : 0;
    info.keepcost = info.arena > active ? info.arena - active : 0;
    return info;
}

static int at_most_int(size_t number)
{
    return number > INT_MAX ? INT_MAX : (int)number;
}

PUBLIC struct mallinfo mallinfo(void)
{
    struct mallinfo2 info = mallinfo2();

    return (struct mallinfo){
        .arena = at_most_int(info.arena),
        .uordblks = at_most_int(info.uordblks),
        .fordblks = at_most_int(info.fordblks),
        .keepcost = at_most_int(info.keepcost),
    };
}
