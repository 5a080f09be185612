/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_file_calls: how often a kind of a file asks the file system for space, or gives it back,
 * when a program fills it again and again with blocks of other sizes and alignments.
 */
#include "support.h"

#include "kinds/system/os.h"

#define LIMIT (16 * MIB)
#define FILLS_MOST 80000 /* blocks at once */

TestSuite(file_calls, .init = test_bare, .timeout = 120);

static size_t calls; /* of both */

int __real_os_allocate(int file, size_t offset, size_t size);
int __real_os_punch(int file, size_t offset, size_t size);
int __wrap_os_allocate(int file, size_t offset, size_t size);
int __wrap_os_punch(int file, size_t offset, size_t size);

int __wrap_os_allocate(int file, size_t offset, size_t size)
{
    calls++;
    return __real_os_allocate(file, offset, size);
}

int __wrap_os_punch(int file, size_t offset, size_t size)
{
    calls++;
    return __real_os_punch(file, offset, size);
}

/* As many blocks as there is room for, and none. */
static void fill_and_free(memkind_t kind, size_t alignment, size_t size)
{
    static void *block[FILLS_MOST];
    size_t count = 0;

    while (count < FILLS_MOST && memkind_posix_memalign(kind, &block[count], alignment, size) == 0)
        count++;
    cr_assert(count * size > LIMIT / 4 * 3 || alignment > size, "%zu of %zu bytes", count, size);
    while (count)
        memkind_free(kind, block[--count]);
}

/* Pages that are free and not in a row are joined before they are given back to get others. */
Test(file_calls, fills_with_other_sizes)
{
    static const size_t sizes[] = {300, 400, 900, 2000, 10000, 50000};
    memkind_t kind = test_create_file("/dev/shm", LIMIT);

    for (size_t alignment = 8; alignment <= 512; alignment *= 4)
        for (size_t i = 0; i < LENGTH(sizes); i++)
            fill_and_free(kind, alignment, sizes[i]);
    cr_assert_leq(calls, 300, "%zu calls", calls);
}
