/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind: the allocation functions of memkind.h.
 *
 * Each begins with the case that matters, what the thread's cache of the default heap manager has
 * at hand: backend_jemalloc/fast.h, inline. Where that has no answer the heap manager is asked,
 * if the kind is ready; what else a caller may pass (a kind's first use, size 0, NULL kinds,
 * foreign pointers, calls that come back while the library sets itself up) is dealt with behind
 * that. Any thread.
 */
#include "frontend/decorators.h" /* first: it may rename what memkind.h declares */

#include <memkind.h>

#include <errno.h>
#include <string.h>

#include "backend_jemalloc/fast.h"
#include "frontend/export.h"
#include "frontend/log.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/system/reserve.h"

/* --- what the inline part does not answer ----------------------------------------------------- */

/* The size to allocate for a request of 0 bytes: 0 for "NULL, no error". */
static size_t zero_size(memkind_t kind)
{
    return atomic_load_explicit(&kind->zero_allocs, memory_order_relaxed) ? 1 : 0;
}

enum readiness {
    READY,
    REENTERED, /* serve from the reserve */
    REFUSED,   /* errno says why */
};

static enum readiness prepare(memkind_t kind)
{
    int error;

    if (!registry_row(kind)) {
        errno = EINVAL;
        return REFUSED;
    }
    if (!managers_enter())
        return REENTERED;
    error = registry_prepare(kind);
    managers_leave();
    if (!error)
        return READY;
    errno = ENOMEM;
    return REFUSED;
}

/* --- allocation ------------------------------------------------------------------------------- */

enum filling { AS_IS, ZEROED };

/* The first use of a kind, a size of 0, or a kind that does not exist. */
static __attribute__((cold, noinline)) void *alloc_fallback(memkind_t kind, size_t size,
                                                            enum filling filling)
{
    int error = errno;

    if (size == 0 && (!registry_row(kind) || (size = zero_size(kind)) == 0)) {
        if (!registry_row(kind))
            errno = EINVAL;
        return NULL;
    }
    switch (prepare(kind)) {
    case READY:
        errno = error;
        return filling == ZEROED ? managers_get()->calloc(&kind->heap, size)
                                 : managers_get()->malloc(&kind->heap, size);
    case REENTERED:
        return reserve_alloc(size, 1);
    default:
        return NULL;
    }
}

static __attribute__((noinline)) void *malloc_slow(memkind_t kind, size_t size)
{
    if (likely(registry_is_ready(kind) && size))
        return managers_get()->malloc(&kind->heap, size);
    return alloc_fallback(kind, size, AS_IS);
}

EXPORT void *memkind_malloc(memkind_t kind, size_t size)
{
    void *block;

    if (likely(kind && jem_fast_alloc(&kind->heap, size, &block)))
        return block;
    return malloc_slow(kind, size);
}

static __attribute__((noinline)) void *calloc_slow(memkind_t kind, size_t num, size_t size)
{
    size_t total;

    if (unlikely(__builtin_mul_overflow(num, size, &total)))
        return heap_out_of_memory();
    if (likely(registry_is_ready(kind) && total))
        return managers_get()->calloc(&kind->heap, total);
    return alloc_fallback(kind, total, ZEROED);
}

EXPORT void *memkind_calloc(memkind_t kind, size_t num, size_t size)
{
    size_t total;
    void *block;

    if (likely(kind && !__builtin_mul_overflow(num, size, &total) &&
               jem_fast_alloc(&kind->heap, total, &block)))
        return memset(block, 0, total);
    return calloc_slow(kind, num, size);
}

static void *aligned_alloc_ready(memkind_t kind, size_t alignment, size_t size)
{
    if (!registry_is_ready(kind)) {
        switch (prepare(kind)) {
        case READY:
            break;
        case REENTERED:
            return reserve_alloc(size, alignment);
        default:
            return NULL;
        }
    }
    return managers_get()->aligned_alloc(&kind->heap, alignment, size);
}

static __attribute__((noinline)) int posix_memalign_slow(memkind_t kind, void **memptr,
                                                         size_t alignment, size_t size)
{
    int error = errno;
    int result = 0;
    void *block = NULL;

    if (!memptr || !(registry_is_ready(kind) || registry_row(kind)) || alignment < sizeof(void *) ||
        (alignment & (alignment - 1)))
        return EINVAL;
    if (!size)
        size = zero_size(kind);
    if (size) {
        block = aligned_alloc_ready(kind, alignment, size);
        if (!block)
            result = ENOMEM;
    }
    if (!result)
        *memptr = block;
    errno = error;
    return result;
}

/* A small size that is a multiple of the alignment has a class whose blocks are aligned so. */
EXPORT int memkind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size)
{
    void *block;

    if (likely(kind && memptr && alignment >= sizeof(void *) && !(alignment & (alignment - 1)) &&
               size - 1 < JEM_FAST_MOST &&
               jem_fast_alloc(&kind->heap, (size + alignment - 1) & -alignment, &block))) {
        *memptr = block;
        return 0;
    }
    return posix_memalign_slow(kind, memptr, alignment, size);
}

/* --- deallocation ----------------------------------------------------------------------------- */

/* No memkind_free() changes errno: heap managers see to it themselves, where they leave their fast
 * paths. */
static __attribute__((noinline)) void free_fallback(memkind_t kind, void *block)
{
    int error = errno;

    if (!block)
        return;
    /* A kind that was never used owns nothing: the caller has the wrong one. */
    if (managers_get())
        managers_get()->free(kind && managers_get()->tells_wrong_kinds ? &kind->heap : NULL, block);
    else
        reserve_free(block);
    errno = error;
}

static __attribute__((noinline)) void free_slow(memkind_t kind, void *block)
{
    if (likely(registry_is_ready(kind) && block))
        managers_get()->free(&kind->heap, block);
    else
        free_fallback(kind, block);
}

EXPORT void memkind_free(memkind_t kind, void *ptr)
{
    if (kind) {
        if (unlikely(!jem_fast_free(&kind->heap, ptr)))
            free_slow(kind, ptr);
    } else if (unlikely(!jem_fast_free_unknown(ptr))) {
        free_fallback(NULL, ptr);
    }
}

/* --- reallocation ----------------------------------------------------------------------------- */

/* A block of the reserve moves to a heap as soon as it grows. */
static void *realloc_reserved(memkind_t kind, void *block, size_t size)
{
    size_t old_size = reserve_size(block);
    void *moved;

    if (size <= old_size)
        return block;
    moved = memkind_malloc(kind ? kind : MEMKIND_DEFAULT, size);
    return moved ? memcpy(moved, block, old_size) : NULL;
}

static __attribute__((noinline)) void *realloc_slow(memkind_t kind, void *ptr, size_t size)
{
    void *moved;

    if (!ptr) {
        if (kind)
            return memkind_malloc(kind, size);
        errno = EINVAL;
        return NULL;
    }
    if (!size) {
        memkind_free(kind, ptr);
        return NULL;
    }
    if (unlikely(reserve_owns(ptr)))
        return realloc_reserved(kind, ptr, size);
    if (unlikely(!managers_get())) {
        errno = EINVAL;
        return NULL;
    }
    moved = managers_get()->realloc(registry_is_ready(kind) ? &kind->heap : NULL, ptr, size);
    if (unlikely(!moved && errno == EINVAL))
        log_debug("memkind_realloc(%p) does nothing: it is not a block of this library", ptr);
    return moved;
}

EXPORT void *memkind_realloc(memkind_t kind, void *ptr, size_t size)
{
    return likely(jem_fast_fits(ptr, size)) ? ptr : realloc_slow(kind, ptr, size);
}

EXPORT void *memkind_defrag_reallocate(memkind_t kind, void *ptr)
{
    (void)kind; /* a block belongs to its own kind, whatever the caller names */
    return managers_get() ? managers_get()->defrag(ptr) : NULL;
}

/* --- questions -------------------------------------------------------------------------------- */

static __attribute__((noinline)) size_t usable_size_slow(const void *block)
{
    size_t size = block && managers_get() ? managers_get()->usable_size(block) : 0;

    if (unlikely(!size && block && reserve_owns(block)))
        return reserve_size(block);
    return size;
}

EXPORT size_t memkind_malloc_usable_size(memkind_t kind, MEMKIND_MALLOC_USABLE_SIZE_CONST void *ptr)
{
    size_t size = jem_fast_size(ptr);

    (void)kind;
    return likely(size) ? size : usable_size_slow(ptr);
}

EXPORT memkind_t memkind_detect_kind(void *ptr)
{
    struct heap *heap = ptr && managers_get() ? managers_get()->detect(ptr) : NULL;

    return heap ? registry_of_heap(heap) : NULL;
}

EXPORT int memkind_set_allow_zero_allocs(memkind_t kind, bool allow_zero_allocs)
{
    if (!registry_row(kind))
        return MEMKIND_ERROR_INVALID;
    atomic_store_explicit(&kind->zero_allocs, allow_zero_allocs, memory_order_relaxed);
    return MEMKIND_SUCCESS;
}
