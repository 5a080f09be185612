/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * malloc_interposer: makes a program that knows nothing of this library take all its memory from
 * it.
 *
 * Preloaded (LD_PRELOAD), it stands before libc's malloc and calls memkind_malloc(). So the library
 * is called before main(), by the dynamic loader, in every thread, after exit handlers, and while
 * it is itself setting up. test_interposer.sh runs programs under it.
 *
 *   INTERPOSER_KIND  partition number of the kind, 0 (MEMKIND_DEFAULT) if unset. Where the kind has
 *                    no memory, MEMKIND_DEFAULT serves.
 *   INTERPOSER_LOG   a file to which each process adds a line when it ends: how many blocks were
 *                    asked for, how many the chosen kind gave, how many pointers freed or grown
 * were not the library's.
 *
 * The dynamic loader's own early blocks are the only foreign pointers that may come along.
 */
#define MEMKIND_DEPRECATED(func) func
#include <memkind.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static atomic_ulong asked, given, foreign;

/* --- the kind --------------------------------------------------------------------------------- */

static _Atomic(memkind_t) chosen;

/* Several threads may do this at once, or one inside itself: they come to the same result. */
static memkind_t choose(void)
{
    const char *number = getenv("INTERPOSER_KIND");
    memkind_t kind;

    if (memkind_get_kind_by_partition(number ? atoi(number) : 0, &kind) != MEMKIND_SUCCESS)
        kind = MEMKIND_DEFAULT;
    memkind_set_allow_zero_allocs(kind, true);
    memkind_set_allow_zero_allocs(MEMKIND_DEFAULT, true);
    atomic_store(&chosen, kind);
    return kind;
}

static memkind_t kind_now(void)
{
    memkind_t kind = atomic_load_explicit(&chosen, memory_order_relaxed);

    return kind ? kind : choose();
}

/* Counts, and says whether MEMKIND_DEFAULT has to be tried after the kind gave nothing. */
static int try_default(memkind_t kind, const void *block)
{
    atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
    if (block)
        atomic_fetch_add_explicit(&given, 1, memory_order_relaxed);
    return !block && kind != MEMKIND_DEFAULT;
}

static size_t size_of(void *block)
{
    size_t size = memkind_malloc_usable_size(NULL, block);

    if (!size)
        atomic_fetch_add_explicit(&foreign, 1, memory_order_relaxed);
    return size;
}

/* --- malloc and its family -------------------------------------------------------------------- */

PUBLIC void *malloc(size_t size)
{
    int error = errno;
    memkind_t kind = kind_now();
    void *block = memkind_malloc(kind, size);

    if (try_default(kind, block)) {
        block = memkind_malloc(MEMKIND_DEFAULT, size);
        if (block)
            errno = error;
    }
    return block;
}

PUBLIC void *calloc(size_t count, size_t size)
{
    int error = errno;
    memkind_t kind = kind_now();
    void *block = memkind_calloc(kind, count, size);

    if (try_default(kind, block)) {
        block = memkind_calloc(MEMKIND_DEFAULT, count, size);
        if (block)
            errno = error;
    }
    return block;
}

PUBLIC void free(void *block)
{
    if (!block)
        return;
    (void)size_of(block);
    memkind_free(NULL, block);
}

PUBLIC void *realloc(void *block, size_t size)
{
    size_t old_size;
    void *moved;

    if (!block)
        return malloc(size);
    old_size = size_of(block);
    moved = memkind_realloc(NULL, block, size);
    if (moved || !size || !old_size)
        return moved;
    moved = memkind_malloc(MEMKIND_DEFAULT, size); /* the kind has no more */
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    memkind_free(NULL, block);
    return moved;
}

PUBLIC void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, total);
}

PUBLIC int posix_memalign(void **result, size_t alignment, size_t size)
{
    memkind_t kind = kind_now();
    void *block = NULL;
    int error = memkind_posix_memalign(kind, &block, alignment, size);

    if (error == EINVAL)
        return error;
    if (try_default(kind, block))
        error = memkind_posix_memalign(MEMKIND_DEFAULT, &block, alignment, size);
    if (!error)
        *result = block;
    return error;
}

/* As glibc does it: any alignment is rounded up to one that is allowed. */
PUBLIC void *memalign(size_t alignment, size_t size)
{
    size_t allowed = sizeof(void *);
    void *block;
    int error;

    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    while (allowed < alignment)
        allowed *= 2;
    error = posix_memalign(&block, allowed, size);
    if (!error)
        return block;
    errno = error;
    return NULL;
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

PUBLIC void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

PUBLIC void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, (size + page - 1) & ~(page - 1));
}

PUBLIC size_t malloc_usable_size(void *block)
{
    return memkind_malloc_usable_size(NULL, block);
}

/* --- report ----------------------------------------------------------------------------------- */

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("INTERPOSER_LOG");
    char line[128];
    int file, length;

    if (!path)
        return;
    file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    length = snprintf(line, sizeof line, "asked %lu given %lu foreign %lu\n", (unsigned long)asked,
                      (unsigned long)given, (unsigned long)foreign);
    (void)!write(file, line, (size_t)length);
    close(file);
}
