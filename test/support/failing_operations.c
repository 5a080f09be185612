/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see failing_operations.h. */
#include "failing_operations.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failing_calls.h"

const char operation_refused[] = "refused";

/* More than a region, so that it has one of its own; no larger, since each is filled and read many
 * times. */
#define LARGE (3 * MIB)

static const char *check_block(memkind_t kind, void *block, size_t size)
{
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    EXPECT(memkind_malloc_usable_size(kind, block) >= size);
    test_fill(block, size, size);
    EXPECT(test_holds(block, size, size));
    memkind_free(size % 2 ? NULL : kind, block);
    return NULL;
}

static const char *allocate(memkind_t kind, size_t size)
{
    errno = 0;
    return check_block(kind, memkind_malloc(kind, size), size);
}

const char *op_malloc_default(void)
{
    return allocate(MEMKIND_DEFAULT, 100);
}

const char *op_malloc_regular(void)
{
    return allocate(MEMKIND_REGULAR, 1001);
}

const char *op_malloc_interleave(void)
{
    return allocate(MEMKIND_INTERLEAVE, 50000);
}

const char *op_malloc_hbw(void)
{
    return allocate(MEMKIND_HBW, 100);
}

const char *op_malloc_dax_preferred(void)
{
    return allocate(MEMKIND_DAX_KMEM_PREFERRED, 7001);
}

const char *op_malloc_hugetlb(void)
{
    return allocate(MEMKIND_HUGETLB, 100000);
}

const char *op_malloc_large(void)
{
    return allocate(MEMKIND_REGULAR, LARGE);
}

/* Every size class, so that slabs, extents and caches are all needed. */
const char *op_malloc_many_sizes(void)
{
    const char *result = NULL;

    for (size_t size = 8; size <= 4 * MIB; size += size / 2) {
        const char *wrong = allocate(MEMKIND_DEFAULT, size);

        if (wrong && wrong != REFUSED)
            return wrong;
        result = wrong ? wrong : result;
    }
    return result;
}

const char *op_calloc_large(void)
{
    unsigned char *block;

    errno = 0;
    block = memkind_calloc(MEMKIND_REGULAR, 3, LARGE / 2);
    if (block)
        EXPECT(test_is_zero(block, 3 * (LARGE / 2)));
    return check_block(MEMKIND_REGULAR, block, 3 * (LARGE / 2));
}

const char *op_memalign_large(void)
{
    void *block = &block;
    int error;

    errno = TEST_ERRNO;
    error = memkind_posix_memalign(MEMKIND_REGULAR, &block, 8 * MIB, LARGE);
    EXPECT(errno == TEST_ERRNO);
    if (error == ENOMEM) {
        EXPECT(block == (void *)&block);
        return REFUSED;
    }
    EXPECT(error == 0);
    EXPECT(((uintptr_t)block & (8 * MIB - 1)) == 0);
    return check_block(MEMKIND_REGULAR, block, LARGE);
}

/* Grows by steps; a block that cannot grow stays as it is. */
const char *op_realloc_growth(void)
{
    size_t size = 1000;
    void *block, *larger;

    errno = 0;
    block = memkind_malloc(MEMKIND_REGULAR, size);
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    test_fill(block, size, 5);
    for (size_t next = 3000; next <= LARGE; next *= 4) {
        errno = 0;
        larger = memkind_realloc(next % 8 ? NULL : MEMKIND_REGULAR, block, next);
        EXPECT(test_holds(larger ? larger : block, size, 5));
        if (!larger) {
            EXPECT(errno == ENOMEM);
            EXPECT(memkind_detect_kind(block) == MEMKIND_REGULAR);
            memkind_free(NULL, block);
            return REFUSED;
        }
        block = larger;
        size = next;
        test_fill(block, size, 5);
    }
    memkind_free(NULL, block);
    return NULL;
}

const char *op_create_and_destroy(void)
{
    memkind_t kind = NULL;
    const char *result, *second;
    int error = memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &kind);

    if (error) {
        EXPECT(error < 0 && !kind);
        return REFUSED;
    }
    EXPECT(kind);
    result = allocate(kind, 100);
    second = allocate(kind, LARGE);
    if (!result || (second && second != REFUSED))
        result = second;
    /* A kind that is left over would not be NULL: out of memory, it can be destroyed later. */
    while ((error = memkind_destroy_kind(kind)) != 0) {
        EXPECT(error == MEMKIND_ERROR_MALLOC || error == MEMKIND_ERROR_OPERATION_FAILED);
        calls_work();
    }
    EXPECT(memkind_destroy_kind(kind) == MEMKIND_ERROR_INVALID);
    return result;
}

/* Small and large blocks of a kind that was created, and its end. */
static const char *use_and_destroy(memkind_t kind, int error)
{
    const char *result = REFUSED;

    if (error) {
        EXPECT(error < 0 && !kind);
        return REFUSED;
    }
    EXPECT(kind);
    for (size_t size = 100; size <= 3 * MIB; size *= 30) {
        result = allocate(kind, size);
        if (result)
            break;
    }
    while ((error = memkind_destroy_kind(kind)) != 0) {
        EXPECT(error == MEMKIND_ERROR_MALLOC || error == MEMKIND_ERROR_OPERATION_FAILED);
        calls_work();
    }
    return result;
}

static int descriptors(void)
{
    int count = 0;

    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* Whatever fails, no descriptor is left. */
static const char *pmem_in(const char *directory, size_t limit)
{
    int before = descriptors();
    memkind_t kind = NULL;
    const char *result;
    int error;

    error = memkind_create_pmem(directory, limit, &kind);
    result = use_and_destroy(kind, error);
    EXPECT(before == descriptors());
    return result;
}

const char *op_pmem_on_tmpfs(void)
{
    return pmem_in("/dev/shm", 16 * MIB);
}

const char *op_pmem_on_disk(void)
{
    return pmem_in("/var/tmp", 0);
}

const char *op_fixed_area(void)
{
    size_t size = 16 * MIB;
    void *area =
        __real_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memkind_t kind = NULL;
    const char *result;
    int error;

    EXPECT(area != MAP_FAILED);
    error = memkind_create_fixed(area, size, &kind);
    result = use_and_destroy(kind, error);
    EXPECT(__real_munmap(area, size) == 0);
    return result;
}

const char *op_questions_about_files(void)
{
    int dax = memkind_check_dax_path("/dev/shm");

    EXPECT(dax == MEMKIND_ERROR_MMAP || dax == MEMKIND_ERROR_RUNTIME);
    return dax == MEMKIND_ERROR_MMAP ? NULL : REFUSED;
}

static void *attach(void *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++) {
        const char *wrong = allocate(i ? MEMKIND_REGULAR : MEMKIND_DEFAULT, 300);

        if (wrong)
            return (void *)wrong;
    }
    return NULL;
}

const char *op_attach_threads(void)
{
    const char *result = NULL;

    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *wrong;

        EXPECT(pthread_create(&thread, NULL, attach, NULL) == 0);
        pthread_join(thread, &wrong);
        if (wrong && result != NULL && result != REFUSED)
            continue;
        result = wrong ? wrong : result;
    }
    return result;
}

/* What cannot be given back is not taken for zeroes. */
const char *op_calloc_after_purge(void)
{
    void *block;

    errno = 0;
    block = memkind_malloc(MEMKIND_REGULAR, LARGE);
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    memset(block, 0xff, LARGE);
    memkind_free(MEMKIND_REGULAR, block);
    test_decay(MEMKIND_REGULAR);
    return op_calloc_large();
}

const char *op_ask(void)
{
    int answer = memkind_check_available(MEMKIND_HBW);
    ssize_t capacity = memkind_get_capacity(MEMKIND_REGULAR);

    EXPECT(answer <= 0);
    EXPECT(capacity >= -1);
    return answer || capacity < 0 ? REFUSED : NULL;
}

const char *op_statistics(void)
{
    size_t value = 0;
    int error = memkind_update_cached_stats();

    EXPECT(error == 0 || error == MEMKIND_ERROR_OPERATION_FAILED);
    if (error)
        return REFUSED;
    error = memkind_get_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED, &value);
    EXPECT(error == 0 || error == MEMKIND_ERROR_OPERATION_FAILED);
    return error ? REFUSED : NULL;
}

/* Under TBB, which has no such threads, this succeeds always. */
const char *op_background_threads(void)
{
    int error = memkind_set_bg_threads(true);

    EXPECT(memkind_set_bg_threads(false) == MEMKIND_SUCCESS || error);
    EXPECT(!error || error == MEMKIND_ERROR_OPERATION_FAILED);
    return error ? REFUSED : NULL;
}
