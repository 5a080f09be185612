/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_fork_files: pages that parent and child have in common.
 *
 * A file's pages are the same memory in both. What the parent has stays the parent's, whatever the
 * child does; what the child allocates is in a file of its own. Children report as in test_fork.c.
 */
#include "busy.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

TestSuite(fork_files, .init = test_with_nodes, .timeout = 280);

#define FILE_BLOCKS 400
#define PAGE ((size_t)4096)

struct common {
    memkind_t kind;
    char *blocks[FILE_BLOCKS];
    size_t sizes[FILE_BLOCKS];
    uint64_t seed;
};

static memkind_t create_file(void)
{
    memkind_t kind;

    if (access("/dev/shm", W_OK) != 0)
        test_skip("nothing can be written to /dev/shm");
    return memkind_create_pmem("/dev/shm", 64 * MIB, &kind) ? NULL : kind;
}

/* Also leaves free blocks of all sizes in the thread's cache, and unused pages in its arena. */
static bool common_make(struct common *common, memkind_t kind, uint64_t seed)
{
    static const size_t sizes[] = {16, 200, 1500, 4096, 20000, 70000, 300000};

    common->kind = kind;
    common->seed = seed;
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        size_t size = i == 96 ? MIB + 1 : sizes[i % LENGTH(sizes)];
        char *passing = memkind_malloc(kind, size);

        common->sizes[i] = size;
        common->blocks[i] = memkind_malloc(kind, common->sizes[i]);
        if (!passing || !common->blocks[i])
            return false;
        test_fill(common->blocks[i], common->sizes[i], seed + i);
        memkind_free(kind, passing);
    }
    return true;
}

static bool common_holds(const struct common *common)
{
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        if (!test_holds(common->blocks[i], common->sizes[i], common->seed + i) ||
            memkind_detect_kind(common->blocks[i]) != common->kind ||
            memkind_malloc_usable_size(common->kind, common->blocks[i]) < common->sizes[i])
            return false;
    return true;
}

static bool common_free(struct common *common)
{
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        char *block = common->blocks[i];

        if (memkind_defrag_reallocate(common->kind, block) && i % 7 > 3)
            return false; /* large blocks never move */
        if (i % 4 == 0) {
            /* In place would be in the parent's memory: also if the size is the same. */
            char *moved = memkind_realloc(i % 8 ? common->kind : NULL, block, common->sizes[i]);

            if (!moved || moved == block || !test_holds(moved, common->sizes[i], common->seed + i))
                return false;
            memset(moved, 1, common->sizes[i]);
            block = moved;
        }
        memkind_free(i % 2 ? common->kind : NULL, block);
    }
    return true;
}

static bool spoil(memkind_t kind, uint64_t seed)
{
    struct common own;

    if (!common_make(&own, kind, seed) || !common_holds(&own))
        return false;
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        memkind_free(kind, own.blocks[i]);
        own.blocks[i] = memkind_calloc(kind, 1, own.sizes[i]);
        if (!own.blocks[i] || !test_is_zero(own.blocks[i], own.sizes[i]))
            return false;
        test_fill(own.blocks[i], own.sizes[i], seed + i);
    }
    if (!common_holds(&own))
        return false;
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        memkind_free(kind, own.blocks[i]);
    test_decay(kind);
    return true;
}

/* What a child does with what it has in common with its parent. 0: all is well. */
static int use_common(struct common *common, int generations)
{
    size_t value;

    alarm(BUSY_SECONDS);
    if (!common_holds(common))
        return 1;
    if (!spoil(common->kind, 7000))
        return 2;
    if (!common_free(common) || !spoil(common->kind, 9000))
        return 3;
    if (memkind_update_cached_stats() ||
        memkind_get_stat(common->kind, MEMKIND_STAT_TYPE_ALLOCATED, &value))
        return 4;
    if (generations) {
        struct common *own = malloc(sizeof *own);
        pid_t child;

        if (!own || !common_make(own, common->kind, 50000))
            return 5;
        child = fork();
        if (child == 0)
            _exit(use_common(own, generations - 1));
        if (child < 0 || !spoil(common->kind, 60000) || busy_status_of(child) || !common_holds(own))
            return 6;
    }
    if (memkind_destroy_kind(common->kind))
        return 7;
    return create_file() ? 0 : 8;
}

Test(fork_files, stay_the_parents)
{
    static struct common common;

    cr_assert(common_make(&common, create_file(), 1));
    for (int i = 0; i < (TEST_SANITIZED ? 3 : 6); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(use_common(&common, i % 3));
        cr_assert_gt(child, 0);
        cr_assert(spoil(common.kind, 2000), "the parent, beside child %d", i);
        status = busy_status_of(child);
        cr_assert_eq(status, 0, "child %d ended with %d", i, status);
        cr_assert(common_holds(&common), "child %d changed the parent's blocks", i);
    }
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        memkind_free(common.kind, common.blocks[i]);
    cr_assert(spoil(common.kind, 3000));
    cr_assert_eq(memkind_destroy_kind(common.kind), 0);
}

/* A child that has used nothing of the kind is the parent of another: its file is empty, and still
 * not both's. */
static int pass_on(memkind_t kind, int generations)
{
    struct common own;
    pid_t child;

    alarm(BUSY_SECONDS);
    child = fork();
    if (child == 0)
        _exit(generations ? pass_on(kind, generations - 1)
                          : !common_make(&own, kind, 1) || !common_holds(&own));
    if (child < 0 || !common_make(&own, kind, (uint64_t)generations) || !common_holds(&own))
        return 1;
    return busy_status_of(child) || !common_holds(&own) ? 2 : 0;
}

Test(fork_files, nobody_has_used)
{
    memkind_t kind = create_file();

    cr_assert(kind);
    cr_assert_eq(pass_on(kind, 4), 0);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

static int use_file(memkind_t kind)
{
    alarm(BUSY_SECONDS);
    for (uint64_t seed = 0; seed < 20; seed++)
        if (!busy_use(kind, seed))
            return 1;
    return memkind_destroy_kind(kind) ? 2 : 0;
}

Test(fork_files, beside_busy_threads)
{
    memkind_t kind = create_file();

    busy_start_with(kind); /* they allocate, free, hit the limit and purge */
    for (int i = 0; i < (TEST_SANITIZED ? 5 : 20); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(use_file(kind));
        status = busy_status_of(child);
        cr_assert_eq(status, 0, "child %d ended with %d", i, status);
    }
    busy_end();
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* --- pages that are gone ---------------------------------------------------------------------- */

/* As the kernel takes huge pages of before from a child that has no others for its copies. */
Test(fork_files, what_is_gone_can_be_freed)
{
    static const size_t alignments[] = {8, 64, 512, 4096},
                        sizes[] = {24, 700, 5000, 70000, 3 * MIB};
    char *blocks[LENGTH(alignments) * LENGTH(sizes)];
    memkind_t kind = create_file();
    pid_t child;

    cr_assert(kind);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        cr_assert_eq(memkind_posix_memalign(kind, (void **)&blocks[i],
                                            alignments[i % LENGTH(alignments)],
                                            sizes[i / LENGTH(alignments)]),
                     0);
    child = fork();
    if (child == 0) {
        int refused = 0;

        for (size_t i = 0; i < LENGTH(blocks); i++)
            refused += mprotect(blocks[i] - (uintptr_t)blocks[i] % PAGE, PAGE, PROT_NONE);
        /* A header may be in the page before. */
        for (size_t i = 0; i < LENGTH(blocks); i++)
            refused += mprotect(blocks[i] - (uintptr_t)blocks[i] % PAGE - PAGE, PAGE, PROT_NONE) &&
                       errno != ENOMEM;
        for (size_t i = 0; i < LENGTH(blocks); i++)
            memkind_free(i % 2 ? kind : NULL, blocks[LENGTH(blocks) - 1 - i]);
        for (size_t i = 0; i < LENGTH(blocks); i++)
            memkind_free(i % 2 ? NULL : kind, blocks[i]);
        _exit(refused);
    }
    cr_assert_eq(busy_status_of(child), 0);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* --- threads in their destructors ------------------------------------------------------------- */

static pthread_key_t slow_end;
static atomic_int ending; /* 1: a thread is in its destructors, 2: it may go on */

static void stay_in_destructor(void *unused)
{
    (void)unused;
    ending = 1;
    while (ending != 2)
        usleep(1000);
}

static void *end_slowly(void *kind)
{
    memkind_free(kind, memkind_malloc(kind, 100));
    return pthread_setspecific(slow_end, kind) ? NULL : kind;
}

static void *use_other_kind(void *unused)
{
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
    return unused;
}

/* In the child, one of these has the stack of the thread that was in its destructors, with what its
 * destructors had not come to. */
static int end_threads(void)
{
    pthread_t threads[4];

    alarm(BUSY_SECONDS);
    for (size_t i = 0; i < LENGTH(threads); i++)
        if (pthread_create(&threads[i], NULL, use_other_kind, NULL))
            return 1;
    for (size_t i = 0; i < LENGTH(threads); i++)
        if (pthread_join(threads[i], NULL))
            return 2;
    return 0;
}

/* Pages that the file does not have yet are left as they are in `copy`. */
static void copy_pages(char *copy, char *pages, size_t size)
{
    for (size_t i = 0; i < size; i += PAGE) {
        struct iovec to = {copy + i, PAGE}, from = {pages + i, PAGE};

        (void)process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    }
}

/* Not a byte of the parent's pages changes, be it a block's or the heap manager's own. */
Test(fork_files, a_thread_ends_meanwhile)
{
    static char before[2 * MIB], after[2 * MIB];
    char *block, *pages;
    pthread_t thread;
    memkind_t kind;
    pid_t child;

    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer cannot start threads in a forked child");
    /* Before the library has a key, so that this one's destructor comes first. */
    cr_assert_eq(pthread_key_create(&slow_end, stay_in_destructor), 0);
    kind = create_file();
    cr_assert(kind);
    cr_assert_eq(pthread_create(&thread, NULL, end_slowly, kind), 0);
    while (ending != 1)
        usleep(1000);
    block = memkind_malloc(kind, 100);
    cr_assert(block);
    pages = block - (uintptr_t)block % sizeof before; /* a file is mapped at a multiple of that */
    copy_pages(before, pages, sizeof before);
    child = fork();
    if (child == 0)
        _exit(end_threads());
    cr_assert_eq(busy_status_of(child), 0);
    copy_pages(after, pages, sizeof after);
    for (size_t i = 0; i < sizeof before; i += PAGE)
        cr_assert(memcmp(before + i, after + i, PAGE) == 0, "page %zu has changed", i / PAGE);
    ending = 2;
    pthread_join(thread, NULL);
    memkind_free(kind, block);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* --- threads that only the parent has --------------------------------------------------------- */

#define OWNERS 4
#define OWNED 600

static struct owner {
    pthread_t self;
    void *blocks[OWNED];
} owners[OWNERS];
static atomic_int owners_ready;

static void *own_blocks(void *argument)
{
    struct owner *owner = argument;

    owner->self = pthread_self();
    for (size_t i = 0; i < OWNED; i++)
        owner->blocks[i] = memkind_malloc(MEMKIND_REGULAR, 500);
    owners_ready++;
    pause();
    return NULL;
}

/* Of the thread that had the same number in the parent. It has allocated nothing itself. */
static void *free_namesakes(void *unused)
{
    for (size_t i = 0; i < OWNERS; i++)
        for (size_t k = 0; k < OWNED && pthread_equal(owners[i].self, pthread_self()); k++)
            memkind_free(k % 2 ? MEMKIND_REGULAR : NULL, owners[i].blocks[k]);
    return unused;
}

Test(fork_files, a_thread_has_the_number_of_one_of_before)
{
    pthread_t threads[OWNERS];
    pid_t child;

    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer cannot start threads in a forked child");
    for (size_t i = 0; i < OWNERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, own_blocks, &owners[i]), 0);
    while (owners_ready < OWNERS)
        usleep(1000);
    child = fork();
    if (child == 0) {
        int failed = 0;

        alarm(BUSY_SECONDS);
        for (size_t i = 0; i < OWNERS; i++)
            failed += pthread_create(&threads[i], NULL, free_namesakes, NULL) != 0;
        for (size_t i = 0; i < OWNERS && !failed; i++)
            failed += pthread_join(threads[i], NULL) != 0;
        _exit(failed);
    }
    cr_assert_eq(busy_status_of(child), 0);
}
