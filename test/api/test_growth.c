/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_growth: large blocks that a program makes larger time and again. Their content stays, and,
 * where addresses cost nothing, so do they: they are not copied each time. Where addresses do cost
 * something, the library takes no more of them than it needs.
 */
#include "support.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

TestSuite(growth, .init = test_with_nodes, .timeout = 120);

#define FIRST MIB
#define LAST (32 * MIB)

static unsigned char mark(size_t offset)
{
    return (unsigned char)(offset / 4096 % 251 + 1);
}

/* Makes a block larger by halves; returns how often it moved. */
static unsigned grow(memkind_t kind)
{
    size_t size = FIRST, marked = 0;
    unsigned moves = 0;
    unsigned char *block = memkind_malloc(kind, size);

    cr_assert_not_null(block);
    for (;;) {
        unsigned char *grown;

        for (; marked < size; marked += 4096)
            block[marked] = mark(marked);
        if (size >= LAST)
            break;
        size += size / 2;
        grown = memkind_realloc(kind, block, size);
        cr_assert_not_null(grown);
        moves += grown != block;
        block = grown;
    }
    for (size_t offset = 0; offset < marked; offset += 4096)
        cr_assert_eq(block[offset], mark(offset), "content at %zu", offset);
    memkind_free(kind, block);
    return moves;
}

/* VmSize in bytes. */
static size_t addresses(void)
{
    char text[4096];
    const char *line;

    if (TEST_SANITIZED)
        test_skip("the sanitizer has most of the address space");
    cr_assert(test_read_text("/proc/self/status", text, sizeof text));
    line = strstr(text, "VmSize:");
    cr_assert_not_null(line);
    return strtoul(line + strlen("VmSize:"), NULL, 10) * KIB;
}

/* Nine times larger by half; with room for eight times, few of these are moves. */
Test(growth, stays_where_it_is)
{
    for (const struct test_kind *kind = test_next_kind(NULL); kind; kind = test_next_kind(kind)) {
        unsigned moves = grow(*kind->variable);

        if (!test_tbb())
            cr_expect_leq(moves, 4, "%s: moved %u times", kind->name, moves);
        if (TEST_THREAD_SANITIZED)
            break; /* it takes seconds, and all kinds have the same code */
    }
}

/* How much larger the address space is when such a block has been there. */
static size_t spent(void)
{
    size_t before;

    memkind_free(MEMKIND_DEFAULT,
                 memkind_malloc(MEMKIND_DEFAULT, 1)); /* the first use has its own */
    before = addresses();
    grow(MEMKIND_DEFAULT);
    return addresses() - before;
}

Test(growth, takes_room_where_that_is_free)
{
    if (test_tbb())
        test_skip("TBB: run_cache.h has no such room");
    cr_expect_gt(spent(), 6 * LAST);
}

Test(growth, takes_none_below_a_limit)
{
    const struct rlimit limit = {64 * GIB, 64 * GIB};

    (void)addresses(); /* or it is skipped */
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_expect_lt(spent(), 5 * LAST);
}

/* Such programs have all of their memory backed when it is mapped. */
Test(growth, takes_none_that_would_be_locked)
{
    (void)addresses(); /* or it is skipped */
    if (mlockall(MCL_CURRENT | MCL_FUTURE))
        test_skip("this process may not lock its memory");
    cr_expect_lt(spent(), 5 * LAST);
}

/* A block that did not grow has none. */
Test(growth, takes_none_for_other_blocks)
{
    size_t before;

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    before = addresses();
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, LAST));
    cr_expect_lt(addresses() - before, 3 * LAST);
}
