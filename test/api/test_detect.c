/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_detect: whose block is this? detect_kind, usable_size, free and realloc find the kind from
 * the address, for every kind and size, also after a kind is destroyed and its handle reused; and
 * a pointer that the library never returned belongs to no kind, and nothing happens to it.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(detect, .init = test_with_nodes, .timeout = 120);

/* --- blocks ----------------------------------------------------------------------------------- */

static const size_t sizes[] = {
    1,           8,       17,      100,         1024,     4000,     4096,     8192,
    14336,       14337,   32768,   32769,       65536,    100000,   MIB,      2 * MIB,
    2 * MIB + 1, 5 * MIB, 8 * MIB, 8 * MIB + 1, 16 * MIB, 33 * MIB, 64 * MIB,
};

Test(detect, null_kind_finds_every_block)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            size_t checked = sizes[i] < MIB ? sizes[i] : MIB, usable;
            char *block;

            if (sizes[i] > 8 * MIB + 1 && kind->variable != &MEMKIND_REGULAR)
                continue; /* copied by realloc: once is enough */
            block = memkind_malloc(*kind->variable, sizes[i]);
            cr_assert(block, "%s: malloc(%zu)", kind->name, sizes[i]);
            cr_assert_eq(memkind_detect_kind(block), *kind->variable, "%s, %zu bytes", kind->name,
                         sizes[i]);
            usable = memkind_malloc_usable_size(NULL, block);
            cr_assert_geq(usable, sizes[i]);
            cr_assert_eq(usable, memkind_malloc_usable_size(*kind->variable, block));
            test_fill(block, checked, i);
            block = memkind_realloc(NULL, block, sizes[i] + sizes[i] / 2 + 1);
            cr_assert(block && test_holds(block, checked, i), "%s: realloc of %zu", kind->name,
                      sizes[i]);
            cr_assert_eq(memkind_detect_kind(block), *kind->variable);
            memkind_free(NULL, block);
        }
        cr_assert_null(memkind_detect_kind(NULL));
    }
}

/* free with a NULL kind gives memory back: the heap does not grow. */
Test(detect, null_kind_frees)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            uintptr_t lowest = UINTPTR_MAX, highest = 0;

            for (size_t round = 0; round < 3000 && sizes[i] <= 8 * MIB; round++) {
                uintptr_t block = (uintptr_t)memkind_malloc(*kind->variable, sizes[i]);

                cr_assert(block);
                lowest = block < lowest ? block : lowest;
                highest = block > highest ? block : highest;
                memkind_free(NULL, (void *)block);
            }
            cr_assert(sizes[i] > 8 * MIB || highest - lowest < 600 * sizes[i] + 2 * MIB,
                      "%s: blocks of %zu bytes are not reused", kind->name, sizes[i]);
        }
    }
}

/* Blocks of all kinds at once: each is known as its own, none shares a page with another kind's. */
#define MIXED 20000

Test(detect, kinds_are_told_apart)
{
    static struct {
        void *block;
        memkind_t kind;
        size_t size;
    } mixed[MIXED];
    static memkind_t page_owner[MIXED]; /* by page, a hash table without collisions to speak of */
    static uintptr_t page_number[MIXED];
    memkind_t kinds[MEMKIND_NUM_BASE_KIND];
    uint64_t random = 1;
    size_t count = 0;

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;)
        kinds[count++] = *kind->variable;
    cr_assert_gt(count, 12, "HBW and DAX kinds are not available");
    for (size_t i = 0; i < MIXED; i++) {
        uintptr_t page;

        mixed[i].kind = kinds[test_random(&random) % count];
        mixed[i].size = 1 + test_random(&random) % (i % 100 ? 2000 : 200000);
        mixed[i].block = memkind_malloc(mixed[i].kind, mixed[i].size);
        test_fill(mixed[i].block, mixed[i].size, i);
        page = (uintptr_t)mixed[i].block >> 12;
        if (page_number[page % MIXED] == page)
            cr_assert_eq(page_owner[page % MIXED], mixed[i].kind, "two kinds share a page");
        page_number[page % MIXED] = page;
        page_owner[page % MIXED] = mixed[i].kind;
    }
    for (size_t i = MIXED - 1; i > 0; i--) {
        size_t other = test_random(&random) % (i + 1);

        cr_assert_eq(memkind_detect_kind(mixed[other].block), mixed[other].kind);
        cr_assert_geq(memkind_malloc_usable_size(NULL, mixed[other].block), mixed[other].size);
        memkind_free(i % 2 ? NULL : mixed[other].kind, mixed[other].block);
        mixed[other] = mixed[i];
    }
    cr_assert_eq(memkind_detect_kind(mixed[0].block), mixed[0].kind);
}

/* A thread that has never allocated can ask, and free. */
static void *ask_and_free(void *argument)
{
    void **blocks = argument;

    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        memkind_t kind = memkind_detect_kind(blocks[i]);

        if (blocks[i] &&
            (kind != *test_kinds[i].variable || memkind_malloc_usable_size(NULL, blocks[i]) < 1000))
            return (void *)test_kinds[i].name;
    }
    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        memkind_free(NULL, blocks[i]);
    return NULL;
}

Test(detect, other_threads_can_ask)
{
    void *blocks[LENGTH(test_kinds)] = {NULL}, *wrong = NULL;
    pthread_t thread;

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;)
        blocks[kind - test_kinds] = memkind_malloc(*kind->variable, 1000);
    cr_assert_eq(pthread_create(&thread, NULL, ask_and_free, blocks), 0);
    pthread_join(thread, &wrong);
    cr_assert_null(wrong, "a thread got a wrong answer about a block of %s", (const char *)wrong);
}

/* Asking takes no lock and disturbs nobody while other threads allocate and free. */
static void *allocate_and_ask(void *argument)
{
    memkind_t kinds[] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, MEMKIND_HBW, MEMKIND_INTERLEAVE};
    uint64_t random = (uint64_t)(uintptr_t)argument;
    void *blocks[64] = {NULL};
    memkind_t owner[64] = {NULL};

    for (int i = 0; i < 40000; i++) {
        size_t at = test_random(&random) % LENGTH(blocks);
        memkind_t found = memkind_detect_kind(blocks[at]);

        if (found != owner[at])
            return "wrong kind";
        memkind_free(i % 3 ? NULL : owner[at], blocks[at]);
        owner[at] = kinds[test_random(&random) % LENGTH(kinds)];
        blocks[at] = memkind_malloc(owner[at], 1 + test_random(&random) % (i % 50 ? 500 : 300000));
    }
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(NULL, blocks[i]);
    return NULL;
}

Test(detect, threads_ask_at_the_same_time)
{
    pthread_t threads[4];

    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, allocate_and_ask, (void *)(i + 1)), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *wrong = NULL;

        pthread_join(threads[i], &wrong);
        cr_assert_null(wrong, "%s", (const char *)wrong);
    }
}

/* --- after a kind is destroyed ---------------------------------------------------------------- */

Test(detect, destroyed_kind_owns_nothing)
{
    for (int round = 0; round < 50; round++) {
        void *blocks[LENGTH(sizes)];
        memkind_t kind, next;
        void *block;

        cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), MEMKIND_SUCCESS);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            blocks[i] = memkind_malloc(kind, sizes[i]);
            cr_assert_eq(memkind_detect_kind(blocks[i]), kind);
        }
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            cr_assert_null(memkind_detect_kind(blocks[i]), "a block of %zu bytes outlives its kind",
                           sizes[i]);
            cr_assert_eq(memkind_malloc_usable_size(NULL, blocks[i]), 0);
        }
        cr_assert_eq(memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, 0, &next),
                     MEMKIND_SUCCESS);
        cr_assert_eq(next, kind, "the handle is not reused: this proves less than it should");
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            memkind_free(NULL, blocks[i]); /* foreign by now */
            cr_assert_null(memkind_detect_kind(blocks[i]));
        }
        block = memkind_malloc(next, 100);
        cr_assert_eq(memkind_detect_kind(block), next);
        cr_assert_eq(memkind_destroy_kind(next), MEMKIND_SUCCESS);
    }
}

/* --- foreign pointers ------------------------------------------------------------------------- */

static char static_bytes[8192] __attribute__((aligned(4096)));

struct foreign {
    const char *what;
    void *pointer;
    bool inside; /* of a block: no kind, but free with the kind's name is the caller's mistake */
};

#define FOREIGN 50

static void check_foreign(const struct foreign *foreign, memkind_t kind)
{
    /* With its name, a kind only has to bear what is nowhere near its blocks. */
    memkind_t names[] = {NULL, foreign->inside ? NULL : kind};

    cr_assert_null(memkind_detect_kind(foreign->pointer), "%s has a kind", foreign->what);
    cr_assert_null(memkind_defrag_reallocate(NULL, foreign->pointer), "%s", foreign->what);
    for (size_t i = 0; i < LENGTH(names); i++) {
        cr_assert_eq(memkind_malloc_usable_size(names[i], foreign->pointer), 0, "%s has a size",
                     foreign->what);
        errno = TEST_ERRNO;
        memkind_free(names[i], foreign->pointer);
        cr_assert_eq(errno, TEST_ERRNO, "free of %s: errno %d", foreign->what, errno);
        if (!foreign->pointer)
            continue;
        for (size_t size = 0; size <= 100000; size += 50000) {
            errno = TEST_ERRNO;
            cr_assert_null(memkind_realloc(names[i], foreign->pointer, size), "%s", foreign->what);
            /* To 0 bytes, realloc is free. */
            cr_assert_eq(errno, size ? EINVAL : TEST_ERRNO, "realloc of %s to %zu bytes: errno %d",
                         foreign->what, size, errno);
        }
    }
}

static void *add(struct foreign *table, size_t *count, const char *what, void *pointer, bool inside)
{
    cr_assert_lt(*count, FOREIGN);
    table[(*count)++] = (struct foreign){what, pointer, inside};
    return pointer;
}

/* What no allocator of ours can ever have returned. */
static size_t add_elsewhere(struct foreign *table, size_t count, void *stack)
{
    size_t size = 1 * MIB;
    char *gone = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *there = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(gone, size);
    add(table, &count, "NULL", NULL, false);
    add(table, &count, "(void *)1", (void *)1, false);
    add(table, &count, "(void *)8", (void *)8, false);
    add(table, &count, "(void *)4096", (void *)4096, false);
    add(table, &count, "the last byte", (void *)UINTPTR_MAX, false);
    add(table, &count, "the last page", (void *)(UINTPTR_MAX - 4095), false);
    add(table, &count, "a kernel address", (void *)0xffff888000000000, false);
    add(table, &count, "a non-canonical address", (void *)0x8000000000000000, false);
    add(table, &count, "the first non-canonical address", (void *)0x800000000000, false);
    add(table, &count, "the stack", stack, false);
    add(table, &count, "static memory", static_bytes, false);
    add(table, &count, "static memory, second page", static_bytes + 4096, false);
    add(table, &count, "code", (void *)(uintptr_t)add_elsewhere, false);
    add(table, &count, "a function of the library", (void *)(uintptr_t)memkind_free, false);
    add(table, &count, "a kind's handle", MEMKIND_DEFAULT, false);
    add(table, &count, "a small block of libc", malloc(100), false);
    add(table, &count, "a large block of libc", malloc(10 * MIB), false);
    add(table, &count, "a mapping", there, false);
    add(table, &count, "memory just unmapped", gone, false);
    return count;
}

static void free_libc_blocks(const struct foreign *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(table[i].what, "block of libc"))
            free(table[i].pointer);
}

/* What lies in and about a block. */
static size_t add_near(struct foreign *table, size_t count, char *small, char *large)
{
    static const unsigned no_address_bits[] = {47, 48, 52, 56, 62, 63};
    size_t usable = memkind_malloc_usable_size(NULL, large);

    add(table, &count, "small + 1", small + 1, true);
    add(table, &count, "small + 8", small + 8, true);
    add(table, &count, "small + 16", small + 16, true);
    add(table, &count, "small - 1", small - 1, true);
    add(table, &count, "large + 1", large + 1, true);
    add(table, &count, "large + 4096", large + 4096, true);
    add(table, &count, "middle of large", large + usable / 2, true);
    add(table, &count, "last page of large", large + usable - 4096, true);
    for (size_t i = 0; i < LENGTH(no_address_bits); i++) {
        uintptr_t bit = (uintptr_t)1 << no_address_bits[i];

        if ((uintptr_t)small & bit) /* with addresses of 48 bits, 47 is one of them */
            continue;
        add(table, &count, "small, with a bit that no address has",
            (void *)((uintptr_t)small | bit), false);
        add(table, &count, "large, with a bit that no address has",
            (void *)((uintptr_t)large | bit), false);
    }
    return count;
}

/* The library was never used. */
Test(detect, foreign_before_first_use)
{
    struct foreign table[FOREIGN];
    char stack[64];
    size_t count = add_elsewhere(table, 0, stack);

    for (size_t i = 0; i < count; i++)
        check_foreign(&table[i], MEMKIND_REGULAR);
    free_libc_blocks(table, count);
}

Test(detect, foreign_pointers_are_left_alone)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        struct foreign table[FOREIGN];
        char stack[64];
        char *small = memkind_malloc(*kind->variable, 128);
        char *large = memkind_malloc(*kind->variable, 5 * MIB);
        char *freed = memkind_malloc(*kind->variable, 3 * MIB);
        size_t count = add_elsewhere(table, 0, stack);

        memset(stack, 1, sizeof stack);
        memset(static_bytes, 1, sizeof static_bytes);
        test_fill(small, 128, 1);
        test_fill(large, 5 * MIB, 2);
        count = add_near(table, count, small, large);
        memkind_free(*kind->variable, freed);
        if (!test_tbb()) /* undefined; jemalloc happens to know */
            add(table, &count, "a large block already freed", freed, true);
        for (int round = 0; round < 3; round++)
            for (size_t i = 0; i < count; i++)
                check_foreign(&table[i], *kind->variable);
        for (size_t i = 0; i < sizeof stack; i++)
            cr_assert_eq(stack[i], 1);
        for (size_t i = 0; i < sizeof static_bytes; i++)
            cr_assert_eq(static_bytes[i], 1);
        cr_assert(test_holds(small, 128, 1) && test_holds(large, 5 * MIB, 2));
        memkind_free(NULL, small);
        memkind_free(NULL, large);
        free_libc_blocks(table, count);
    }
}

/* Every address of a block but its first, and every address of its pages that no block begins at.
 */
Test(detect, only_the_start_is_a_block)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        char *block = memkind_malloc(*kind->variable, 3000);
        size_t usable = memkind_malloc_usable_size(NULL, block);

        for (size_t at = 1; at < usable; at++)
            cr_assert_null(memkind_detect_kind(block + at), "%s: block + %zu", kind->name, at);
        memkind_free(NULL, block);
    }
}

/* Nor an aligned one's. TBB cuts some out of larger blocks: an address inside one that is aligned
 * like such a block cannot be told from it. */
Test(detect, only_the_start_is_an_aligned_block)
{
    enum { SHIFT = 128 };
    static const size_t alignments[] = {32, 64, 128, 256, 1024, 4096, 64 * KIB, 2 * MIB};
    static const size_t sizes[] = {1, 100, 1000, 1500, 3000, 8000, 20000, 100000};

    for (size_t i = 0; i < LENGTH(alignments) * LENGTH(sizes); i++) {
        size_t alignment = alignments[i / LENGTH(sizes)], size = sizes[i % LENGTH(sizes)];
        bool shifted = test_tbb() && alignment >= SHIFT && size + alignment < 8 * KIB &&
                       (size > KIB || alignment > KIB);
        void *blocks[8];

        for (size_t j = 0; j < LENGTH(blocks); j++) {
            cr_assert_eq(memkind_posix_memalign(MEMKIND_REGULAR, &blocks[j], alignment, size), 0);
            cr_expect_eq((uintptr_t)blocks[j] % alignment, 0);
            test_fill(blocks[j], size, j);
        }
        for (size_t j = 0; j < LENGTH(blocks); j++) {
            size_t usable = memkind_malloc_usable_size(NULL, blocks[j]);

            cr_expect_eq(memkind_detect_kind(blocks[j]), MEMKIND_REGULAR);
            cr_expect_geq(usable, size);
            for (size_t at = 1; at < usable; at++)
                if (!shifted || at % SHIFT)
                    cr_assert_null(memkind_detect_kind((char *)blocks[j] + at),
                                   "%zu bytes aligned to %zu: + %zu", size, alignment, at);
            cr_expect(test_holds(blocks[j], size, j));
            memkind_free(j % 2 ? NULL : MEMKIND_REGULAR, blocks[j]);
        }
    }
}

/* Each refusal is one line of the log. */
static void free_foreign_pointers(void *argument)
{
    (void)argument;
    memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 1));
    memkind_free(NULL, static_bytes);
    (void)memkind_realloc(NULL, static_bytes, 10);
}

Test(detect, foreign_pointers_are_logged)
{
    static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};
    struct test_child child;

    test_run_well(&child, free_foreign_pointers, NULL, debug);
    cr_assert(test_line(child.errors,
                        "^MEMKIND: memkind_free\\(0x[0-9a-f]+\\) does nothing: it is not a block"),
              "%s", child.errors);
    cr_assert(
        test_line(child.errors,
                  "^MEMKIND: memkind_realloc\\(0x[0-9a-f]+\\) does nothing: it is not a block"),
        "%s", child.errors);
    test_run_well(&child, free_foreign_pointers, NULL, NULL);
    cr_assert_eq(child.lines, 0, "%s", child.errors);
}
