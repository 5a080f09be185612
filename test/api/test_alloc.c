/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_alloc: what memkind.h promises of malloc, calloc, realloc, posix_memalign, free and
 * usable_size, rule by rule and for every kind of base pages that this machine has: size 0, sizes
 * too large, errno, NULL kinds, alignment, products that wrap, zeroes after reuse, content kept.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

TestSuite(alloc, .init = test_with_nodes, .timeout = 120);

#define UNTOUCHED ((void *)0x5a5a)

/* --- every way of allocating, with one signature ---------------------------------------------- */

static void *by_malloc(memkind_t kind, size_t size)
{
    return memkind_malloc(kind, size);
}

static void *by_calloc(memkind_t kind, size_t size)
{
    return memkind_calloc(kind, 1, size);
}

static void *by_calloc_of_bytes(memkind_t kind, size_t size)
{
    return memkind_calloc(kind, size, 1);
}

static void *by_realloc(memkind_t kind, size_t size)
{
    return memkind_realloc(kind, NULL, size);
}

/* posix_memalign() in malloc's manner, so that tables can hold it: a result goes to errno. */
static void *by_memalign(memkind_t kind, size_t size)
{
    void *block = UNTOUCHED;
    int before = errno;
    int result = memkind_posix_memalign(kind, &block, 64, size);

    cr_assert_eq(errno, before, "posix_memalign changed errno");
    cr_assert_eq(result != 0, block == UNTOUCHED, "*memptr is %p with result %d", block, result);
    if (result)
        errno = result;
    return result ? NULL : block;
}

static const struct {
    const char *name;
    void *(*alloc)(memkind_t kind, size_t size);
} ways[] = {
    {"malloc", by_malloc},
    {"calloc(1, n)", by_calloc},
    {"calloc(n, 1)", by_calloc_of_bytes},
    {"realloc(NULL)", by_realloc},
    {"posix_memalign", by_memalign},
};

/* --- size 0 ----------------------------------------------------------------------------------- */

static void expect_null_untouched(const struct test_kind *kind)
{
    for (size_t way = 0; way < LENGTH(ways); way++) {
        errno = TEST_ERRNO;
        cr_assert_null(ways[way].alloc(*kind->variable, 0), "%s %s", kind->name, ways[way].name);
        cr_assert_eq(errno, TEST_ERRNO, "%s %s: errno %d", kind->name, ways[way].name, errno);
    }
}

/* Size 0 is NULL and no error: in a kind never used, in one in use, and in one not available. */
Test(alloc, zero_size_is_null)
{
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        expect_null_untouched(&test_kinds[i]);
        memkind_free(*test_kinds[i].variable, memkind_malloc(*test_kinds[i].variable, 1));
        expect_null_untouched(&test_kinds[i]);
    }
    errno = TEST_ERRNO;
    cr_assert_null(memkind_calloc(MEMKIND_DEFAULT, 0, SIZE_MAX));
    cr_assert_null(memkind_calloc(MEMKIND_DEFAULT, SIZE_MAX, 0));
    cr_assert_eq(errno, TEST_ERRNO);
}

/* posix_memalign of size 0 stores NULL, it does not leave *memptr alone. */
Test(alloc, zero_size_memalign_stores_null)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        void *block = UNTOUCHED;

        cr_assert_eq(memkind_posix_memalign(*kind->variable, &block, 64, 0), 0);
        cr_assert_null(block, "%s", kind->name);
    }
}

Test(alloc, zero_size_allowed_gives_blocks)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        memkind_t other = kind->variable == &MEMKIND_DEFAULT ? MEMKIND_REGULAR : MEMKIND_DEFAULT;

        cr_assert_eq(memkind_set_allow_zero_allocs(*kind->variable, true), MEMKIND_SUCCESS);
        for (size_t way = 0; way < LENGTH(ways); way++) {
            void *first, *second;

            errno = TEST_ERRNO;
            first = ways[way].alloc(*kind->variable, 0);
            second = ways[way].alloc(*kind->variable, 0);
            cr_assert(first && second && first != second, "%s %s", kind->name, ways[way].name);
            cr_assert_eq(errno, TEST_ERRNO);
            cr_assert_eq(memkind_detect_kind(first), *kind->variable);
            cr_assert_null(ways[way].alloc(other, 0), "another kind allows it, too");
            memkind_free(*kind->variable, first);
            memkind_free(NULL, second);
        }
        cr_assert_eq(memkind_set_allow_zero_allocs(*kind->variable, false), MEMKIND_SUCCESS);
        expect_null_untouched(kind);
    }
    cr_assert_eq(memkind_set_allow_zero_allocs(NULL, true), MEMKIND_ERROR_INVALID);
}

/* --- NULL kind -------------------------------------------------------------------------------- */

Test(alloc, null_kind_cannot_allocate)
{
    for (int used = 0; used < 2; used++) {
        for (size_t way = 0; way < LENGTH(ways); way++) {
            errno = TEST_ERRNO;
            cr_assert_null(ways[way].alloc(NULL, 100), "%s", ways[way].name);
            cr_assert_eq(errno, EINVAL, "%s: errno %d", ways[way].name, errno);
        }
        errno = TEST_ERRNO;
        cr_assert_null(memkind_realloc(NULL, NULL, 0));
        cr_assert_eq(errno, EINVAL);
        memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    }
}

/* --- failure and errno ------------------------------------------------------------------------ */

static const size_t too_large[] = {
    SIZE_MAX,
    SIZE_MAX - 1,
    SIZE_MAX - 15,
    SIZE_MAX - 4095,
    SIZE_MAX - 2 * MIB,
    SIZE_MAX / 2 + 2,
    SIZE_MAX / 2 + 1, /* PTRDIFF_MAX + 1 */
    SIZE_MAX / 2,     /* PTRDIFF_MAX: allowed, but no address space holds it */
    SIZE_MAX / 2 - 4096,
    (size_t)7 << 60,
    ((size_t)7 << 60) + 1,
    (size_t)1 << 57,
};

Test(alloc, too_large_is_enomem)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t way = 0; way < LENGTH(ways); way++) {
            void *block;

            for (size_t i = 0; i < LENGTH(too_large); i++) {
                errno = TEST_ERRNO;
                cr_assert_null(ways[way].alloc(*kind->variable, too_large[i]), "%s %s(%zx)",
                               kind->name, ways[way].name, too_large[i]);
                cr_assert_eq(errno, ENOMEM, "%s %s(%zx): errno %d", kind->name, ways[way].name,
                             too_large[i], errno);
            }
            block = ways[way].alloc(*kind->variable, 100);
            cr_assert(block, "%s %s: no block after a failure", kind->name, ways[way].name);
            memkind_free(*kind->variable, block);
        }
    }
}

/* malloc() would refuse it, too: more than the machine has. Bound kinds have less in any case. */
Test(alloc, twice_the_memory_is_enomem)
{
    size_t mode = test_read_number("/proc/sys/vm/overcommit_memory");
    struct sysinfo info;
    size_t all;

    cr_assert_eq(sysinfo(&info), 0);
    all = (info.totalram + info.totalswap) * info.mem_unit;
    if (mode == 1)
        test_skip("vm.overcommit_memory is 1: the kernel promises anything");
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        void *block = memkind_malloc(*kind->variable, 2 * all);

        cr_assert_null(block, "%s", kind->name);
        cr_assert_null(memkind_calloc(*kind->variable, 2, all), "%s", kind->name);
        block = memkind_malloc(*kind->variable, 100);
        cr_assert_null(memkind_realloc(*kind->variable, block, 2 * all), "%s", kind->name);
        memkind_free(NULL, block);
    }
}

static bool malloc_would_give(size_t size)
{
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return block != MAP_FAILED && munmap(block, size) == 0;
}

/* Sizes that a heap manager rounds up to more than the machine has are none of these. */
Test(alloc, most_of_the_memory_in_one_block)
{
    struct sysinfo info;

    cr_assert_eq(sysinfo(&info), 0);
    for (size_t sixteenths = 9; sixteenths < 16; sixteenths += 2) {
        size_t size = (info.totalram + info.totalswap) * info.mem_unit / 16 * sixteenths;
        void *block = memkind_malloc(MEMKIND_DEFAULT, size);

        cr_assert(block || !malloc_would_give(size), "%zu bytes", size);
        memkind_free(MEMKIND_DEFAULT, block);
        memkind_trim(MEMKIND_DEFAULT);
    }
}

Test(alloc, unavailable_kind_is_enomem)
{
    test_bare();
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        if (test_kinds[i].page_size ||
            memkind_check_available(*test_kinds[i].variable) == MEMKIND_SUCCESS)
            continue;
        for (size_t way = 0; way < LENGTH(ways); way++) {
            errno = TEST_ERRNO;
            cr_assert_null(ways[way].alloc(*test_kinds[i].variable, 100), "%s %s",
                           test_kinds[i].name, ways[way].name);
            cr_assert_eq(errno, ENOMEM, "%s %s: errno %d", test_kinds[i].name, ways[way].name,
                         errno);
        }
    }
}

static const size_t many_sizes[] = {
    1, 2, 7, 8, 9, 16, 17, 100, 1000, 4096, 14336, 14337, 32768, 32769, 100000, MIB, 5 * MIB + 3,
};

/* Not even the first use of the library, or a thread's or a kind's, changes errno. */
Test(alloc, success_leaves_errno)
{
    for (size_t way = 0; way < LENGTH(ways); way++) {
        for (size_t i = 0; i < LENGTH(many_sizes); i++) {
            size_t size = many_sizes[i];

            for (size_t k = 0; k < LENGTH(test_kinds); k++) {
                memkind_t kind = *test_kinds[k].variable;
                void *block;

                if (test_kinds[k].page_size)
                    continue;
                errno = TEST_ERRNO;
                block = ways[way].alloc(kind, size);
                if (!block)
                    continue; /* not available */
                cr_assert_eq(errno, TEST_ERRNO, "%s %s(%zu): errno %d", test_kinds[k].name,
                             ways[way].name, size, errno);
                block = memkind_realloc(kind, block, 2 * size);
                cr_assert_eq(errno, TEST_ERRNO, "%s realloc: errno %d", test_kinds[k].name, errno);
                memkind_free(kind, block);
                cr_assert_eq(errno, TEST_ERRNO, "%s free: errno %d", test_kinds[k].name, errno);
            }
        }
    }
}

/* The kernel refuses mappings: ENOMEM, and what was there before stays usable. */
struct refused {
    bool is_null[LENGTH(ways)], content, works_again;
    int error[LENGTH(ways)];
    void *grown;
    int grown_error;
};

static void alloc_while_mmap_refuses(void *argument)
{
    struct refused *refused = argument;
    char *block = memkind_malloc(MEMKIND_REGULAR, 1000);

    test_fill(block, 1000, 1);
    test_refuse(SYS_mmap, ENOMEM, 1, MIB);
    for (size_t way = 0; way < LENGTH(ways); way++) {
        errno = TEST_ERRNO;
        refused->is_null[way] = !ways[way].alloc(MEMKIND_REGULAR, 16 * MIB);
        refused->error[way] = errno;
    }
    errno = TEST_ERRNO;
    refused->grown = memkind_realloc(MEMKIND_REGULAR, block, 16 * MIB);
    refused->grown_error = errno;
    refused->content = test_holds(block, 1000, 1);
    memkind_free(MEMKIND_REGULAR, block);
    block = memkind_malloc(MEMKIND_REGULAR, 1000);
    refused->works_again = block != NULL;
}

Test(alloc, refused_mapping_is_enomem)
{
    struct refused *refused = test_shared(sizeof *refused);
    struct test_child child;

    test_run_well(&child, alloc_while_mmap_refuses, refused, NULL);
    for (size_t way = 0; way < LENGTH(ways); way++) {
        cr_assert(refused->is_null[way], "%s", ways[way].name);
        cr_assert_eq(refused->error[way], ENOMEM, "%s: errno %d", ways[way].name,
                     refused->error[way]);
    }
    cr_assert_null(refused->grown);
    cr_assert_eq(refused->grown_error, ENOMEM);
    cr_assert(refused->content, "a failed realloc lost the content");
    cr_assert(refused->works_again);
}

/* --- alignment -------------------------------------------------------------------------------- */

Test(alloc, memalign_refuses_bad_alignment)
{
    static const size_t bad[] = {
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        9,
        12,
        24,
        48,
        63,
        65,
        96,
        4095,
        4097,
        3 * MIB,
        SIZE_MAX,
        SIZE_MAX - 7,
        SIZE_MAX / 2,
        SIZE_MAX / 2 + 9,
    };
    static const size_t sizes[] = {0, 1, 100, SIZE_MAX};

    for (int used = 0; used < 2; used++) {
        for (size_t i = 0; i < LENGTH(bad) * LENGTH(sizes); i++) {
            size_t alignment = bad[i / LENGTH(sizes)], size = sizes[i % LENGTH(sizes)];
            void *block = UNTOUCHED;

            errno = TEST_ERRNO;
            cr_assert_eq(memkind_posix_memalign(MEMKIND_REGULAR, &block, alignment, size), EINVAL,
                         "alignment %zu, size %zu", alignment, size);
            cr_assert_eq(block, UNTOUCHED);
            cr_assert_eq(errno, TEST_ERRNO);
        }
        memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    }
}

Test(alloc, memalign_too_large_is_enomem)
{
    static const struct {
        size_t alignment, size;
    } rows[] = {
        {8, SIZE_MAX},
        {16, SIZE_MAX - 15},
        {4096, SIZE_MAX - 4095},
        {4096, SIZE_MAX / 2},
        {2 * MIB, SIZE_MAX - 2 * MIB},
        {2 * MIB, ((size_t)7 << 60) - MIB},
        {(size_t)1 << 48, 1},
        {(size_t)1 << 61, 1},
        {(size_t)1 << 62, (size_t)1 << 62},
        {(size_t)1 << 62, SIZE_MAX},
        {(size_t)1 << 63, 1},
        {(size_t)1 << 63, (size_t)1 << 63},
        {(size_t)1 << 63, SIZE_MAX},
    };

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t i = 0; i < LENGTH(rows); i++) {
            void *block = UNTOUCHED;

            errno = TEST_ERRNO;
            cr_assert_eq(
                memkind_posix_memalign(*kind->variable, &block, rows[i].alignment, rows[i].size),
                ENOMEM, "%s: alignment %zx, size %zx", kind->name, rows[i].alignment, rows[i].size);
            cr_assert_eq(block, UNTOUCHED);
            cr_assert_eq(errno, TEST_ERRNO);
        }
    }
}

/* Both ends are written, and nothing lies upon a neighbour: several blocks are alive at once. */
#define ALIVE 8

static void check_alignment(const struct test_kind *kind, size_t alignment, size_t size,
                            void **alive)
{
    void *block = NULL;

    cr_assert_eq(memkind_posix_memalign(*kind->variable, &block, alignment, size), 0,
                 "%s: alignment %zu, size %zu", kind->name, alignment, size);
    cr_assert_eq((uintptr_t)block & (alignment - 1), 0, "%s: %p, alignment %zu, size %zu",
                 kind->name, block, alignment, size);
    cr_assert_geq(memkind_malloc_usable_size(*kind->variable, block), size);
    cr_assert_eq(memkind_detect_kind(block), *kind->variable);
    ((char *)block)[0] = 1;
    ((char *)block)[size - 1] = 1;
    memkind_free(*kind->variable, *alive);
    *alive = block;
}

Test(alloc, memalign_honours_alignment)
{
    static const size_t sizes[] = {1,       8,       9,        24,      100,    4095,
                                   4097,    14337,   16 * KIB, 40000,   65536,  MIB,
                                   MIB + 1, 2 * MIB, 3 * MIB,  5000000, 8 * MIB};

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        void *alive[ALIVE] = {NULL};
        unsigned turn = 0;

        for (size_t alignment = sizeof(void *); alignment <= 4 * MIB; alignment *= 2)
            for (size_t i = 0; i < LENGTH(sizes); i++)
                check_alignment(kind, alignment, sizes[i], &alive[turn++ % ALIVE]);
        check_alignment(kind, GIB, 1, &alive[0]);
        check_alignment(kind, GIB, 5 * MIB, &alive[1]);
        for (size_t i = 0; i < ALIVE; i++)
            memkind_free(NULL, alive[i]);
    }
}

/* malloc and friends: aligned for every object that fits. */
Test(alloc, blocks_are_aligned_for_objects)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t size = 1; size <= 2048; size++) {
            size_t most = size >= _Alignof(max_align_t) ? _Alignof(max_align_t) : size;
            size_t alignment = 1;
            void *block = memkind_malloc(*kind->variable, size);

            while (2 * alignment <= most)
                alignment *= 2;
            cr_assert(block && (uintptr_t)block % alignment == 0, "%s: malloc(%zu) is %p",
                      kind->name, size, block);
            block = memkind_realloc(*kind->variable, block, size + 1);
            cr_assert(block && (uintptr_t)block % alignment == 0);
            memkind_free(*kind->variable, block);
        }
    }
}

/* --- usable size ------------------------------------------------------------------------------ */

Test(alloc, usable_size_is_usable)
{
    enum { EACH = 6 };

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        void *blocks[LENGTH(many_sizes) * EACH];

        for (size_t i = 0; i < LENGTH(blocks); i++) {
            size_t size = many_sizes[i / EACH], usable;

            blocks[i] = memkind_malloc(*kind->variable, size);
            cr_assert(blocks[i]);
            usable = memkind_malloc_usable_size(*kind->variable, blocks[i]);
            cr_assert_geq(usable, size, "%s: malloc(%zu) has %zu", kind->name, size, usable);
            cr_assert_leq(usable, 2 * size + 8, "%s: malloc(%zu) has %zu", kind->name, size,
                          usable);
            cr_assert_eq(memkind_malloc_usable_size(NULL, blocks[i]), usable);
            test_fill(blocks[i], usable, i);
        }
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            cr_assert(test_holds(blocks[i], memkind_malloc_usable_size(NULL, blocks[i]), i),
                      "%s: a block of %zu was overwritten", kind->name, many_sizes[i / EACH]);
            memkind_free(*kind->variable, blocks[i]);
        }
        cr_assert_eq(memkind_malloc_usable_size(*kind->variable, NULL), 0);
    }
    cr_assert_eq(memkind_malloc_usable_size(NULL, NULL), 0);
}

/* --- free ------------------------------------------------------------------------------------- */

Test(alloc, free_null_is_nothing)
{
    errno = TEST_ERRNO;
    memkind_free(NULL, NULL);
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        memkind_free(*test_kinds[i].variable, NULL);
        memkind_free(*test_kinds[i].variable, memkind_malloc(*test_kinds[i].variable, 1));
        errno = TEST_ERRNO;
        memkind_free(*test_kinds[i].variable, NULL);
        cr_assert_eq(errno, TEST_ERRNO);
    }
}

/* --- realloc ---------------------------------------------------------------------------------- */

/* Up and down through small, cached large and uncached large blocks, in place and moving. */
static const size_t steps[] = {
    1,           8,        9,       100,     99,          1000,   4096,  14336,   14337,
    16384,       20000,    32768,   32769,   65536,       65537,  MIB,   MIB + 1, 8 * MIB,
    8 * MIB + 1, 12 * MIB, 9 * MIB, 2 * MIB, 2 * MIB - 1, 100000, 40000, 30000,   28000,
    5000,        10 * MIB, 4000,    64,      3 * MIB,     63,     8,     1,
};

Test(alloc, realloc_keeps_content)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        size_t old_size = steps[0];
        char *block = memkind_realloc(*kind->variable, NULL, old_size);

        test_fill(block, old_size, 0);
        for (size_t i = 1; i < LENGTH(steps); i++) {
            size_t size = steps[i], kept = size < old_size ? size : old_size;

            block = memkind_realloc(i % 2 ? *kind->variable : NULL, block, size);
            cr_assert(block, "%s: %zu to %zu", kind->name, old_size, size);
            cr_assert(test_holds(block, kept, i - 1), "%s: %zu to %zu lost content", kind->name,
                      old_size, size);
            cr_assert_eq(memkind_detect_kind(block), *kind->variable);
            cr_assert_geq(memkind_malloc_usable_size(NULL, block), size);
            test_fill(block, size, i);
            old_size = size;
        }
        memkind_free(NULL, block);
    }
}

/* A block too large for any cache is no block any more once it is freed. */
Test(alloc, realloc_to_zero_frees)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (int form = 0; form < 4; form++) {
            memkind_t name = form & 1 ? NULL : *kind->variable;
            void *block = memkind_malloc(*kind->variable, 4 * MIB);

            memkind_set_allow_zero_allocs(*kind->variable, form & 2);
            cr_assert_eq(memkind_detect_kind(block), *kind->variable);
            errno = TEST_ERRNO;
            cr_assert_null(memkind_realloc(name, block, 0), "%s, form %d", kind->name, form);
            cr_assert_eq(errno, TEST_ERRNO);
            if (!test_tbb()) /* whose large blocks can be recognised after their end */
                cr_assert_null(memkind_detect_kind(block), "%s: not freed, form %d", kind->name,
                               form);
        }
        memkind_set_allow_zero_allocs(*kind->variable, false);
    }
}

Test(alloc, failed_realloc_keeps_block)
{
    static const size_t sizes[] = {1, 100, 5000, 20000, 100000, 9 * MIB};

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            char *block = memkind_malloc(*kind->variable, sizes[i]);

            test_fill(block, sizes[i], i);
            for (size_t j = 0; j < 2 * LENGTH(too_large); j++) {
                errno = TEST_ERRNO;
                cr_assert_null(
                    memkind_realloc(j % 2 ? NULL : *kind->variable, block, too_large[j / 2]));
                cr_assert_eq(errno, ENOMEM, "%s: %zu to %zx: errno %d", kind->name, sizes[i],
                             too_large[j / 2], errno);
            }
            cr_assert(test_holds(block, sizes[i], i), "%s: lost content", kind->name);
            cr_assert_eq(memkind_detect_kind(block), *kind->variable);
            block = memkind_realloc(*kind->variable, block, 2 * sizes[i]);
            cr_assert(block && test_holds(block, sizes[i], i));
            memkind_free(*kind->variable, block);
        }
    }
}
