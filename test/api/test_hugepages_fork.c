/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hugepages, continued: parent and child. Pages that a parent and its child have in common are
 * copied by whoever writes first, and there may be no page for the copy.
 */
#include "support.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_BLOCKS 256

/* --- fork ------------------------------------------------------------------------------------- */

struct forked {
    bool parent_wrote;
};

static void write_after_fork(void *argument)
{
    struct forked *forked = argument;
    static char *blocks[MOST_BLOCKS];
    size_t count = 0;
    int ends[2];
    char byte;
    pid_t pid;

    while (count < MOST_BLOCKS && (blocks[count] = memkind_malloc(MEMKIND_HUGETLB, MIB)))
        memset(blocks[count++], 1, MIB);
    if (pipe(ends) || (pid = fork()) < 0)
        return;
    if (pid == 0) {
        close(ends[1]);
        (void)!read(ends[0], &byte, 1); /* the parent is done */
        _exit(0);
    }
    for (size_t i = 0; i < count; i++)
        memset(blocks[i], 2, MIB);
    forked->parent_wrote = count > 0;
    close(ends[1]);
    waitpid(pid, NULL, 0);
}

struct child_of_fork {
    int status;
    size_t got;  /* bytes of blocks that the child had */
    size_t left; /* bytes of free pages */
    bool read;   /* the parent's blocks */
};

/* Frees blocks of before, and writes all there is to be had. */
static void be_child_without_pages(char **blocks, size_t count, struct child_of_fork *seen)
{
    seen->read = true;
    for (size_t i = 0; i < count; i++)
        seen->read &= blocks[i][i] == 1;
    for (size_t i = 0; i < count / 2; i++)
        memkind_free(i % 2 ? MEMKIND_HUGETLB : NULL, blocks[i]);
    for (size_t size = MIB; size >= 100; size /= 100) {
        char *block;

        while ((block = memkind_malloc(MEMKIND_HUGETLB, size))) {
            memset(block, 3, size);
            seen->got += size;
        }
        block = memkind_realloc(MEMKIND_HUGETLB, blocks[count - 1], size * 2);
        seen->got += block && block != blocks[count - 1];
    }
}

static void fork_without_pages(void *argument)
{
    struct child_of_fork *seen = argument;
    static char *blocks[MOST_BLOCKS];
    size_t count = 0;
    pid_t pid;

    while (count < MOST_BLOCKS && (blocks[count] = memkind_malloc(MEMKIND_HUGETLB, MIB)))
        memset(blocks[count++], 1, MIB);
    if (count < 4)
        return;
    memkind_free(NULL, blocks[--count]); /* stays in the heap */
    seen->left = test_pool_free(2 * MIB) * 2 * MIB;
    if ((pid = fork()) == 0) {
        be_child_without_pages(blocks, count, seen);
        _exit(0);
    }
    waitpid(pid, &seen->status, 0);
}

/* What it allocates lies in pages of its own: with no page left it is NULL, where a page of before
 * the fork would be SIGBUS at the first write. */
Test(hugepages, a_child_gets_pages_of_its_own)
{
    static const char *const managers[][2] = {{"MEMKIND_HEAP_MANAGER=JEMALLOC", NULL},
                                              {"MEMKIND_HEAP_MANAGER=TBB", NULL}};
    struct child_of_fork *seen = test_shared(sizeof *seen);
    struct test_child child;

    for (size_t i = 0; i < LENGTH(managers); i++) {
        memset(seen, 0, sizeof *seen);
        test_pool_set(2 * MIB, 10);
        test_run_well(&child, fork_without_pages, seen, managers[i]);
        cr_expect(seen->read, "%s", managers[i][0]);
        cr_expect_eq(seen->status, 0, "%s: status %#x", managers[i][0], (unsigned)seen->status);
        cr_expect_leq(seen->got, seen->left, "%s: %zu bytes of no page", managers[i][0], seen->got);
    }
}

/* A child shares the pages until one of the two writes. With no page left, that is not the parent's
 * end: pages that it has populated stay its own. */
Test(hugepages, parent_survives_fork)
{
    struct forked *forked = test_shared(sizeof *forked);
    struct test_child child;

    test_pool_set(2 * MIB, 6);
    test_run_well(&child, write_after_fork, forked, NULL);
    cr_assert(forked->parent_wrote);
}
