/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Operations with several threads or processes. See matrix.h. */
#include "matrix.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct team {
    struct cell *cell;
    struct block *blocks;
    size_t count;
    uint64_t seed;
    pthread_key_t key;
};

static void run_thread(struct cell *cell, void *(*function)(void *), struct team *team)
{
    pthread_t thread;

    NEED(pthread_create(&thread, NULL, function, team) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

/* --- freed by another thread ------------------------------------------------------------------ */

static void *allocate_all(void *argument)
{
    struct team *team = argument;
    struct cell *cell = team->cell;

    for (size_t i = 0; i < team->count; i++) {
        size_t size = 1 + (i * 131) % (i % 50 ? 5000 : 200000);

        block_set(cell, &team->blocks[i], memkind_malloc(cell->kind, size), size, i);
    }
    return NULL;
}

static void *free_all(void *argument)
{
    struct team *team = argument;
    struct cell *cell = team->cell;

    for (size_t i = 0; i < team->count; i++) {
        struct block *block = &team->blocks[i * 7 % team->count];

        if (i % 5 == 0) {
            block->at = memkind_realloc(i % 2 ? cell->kind : NULL, block->at, block->size + 3000);
            NEED(block->at, "realloc of another thread's block");
        }
        block_end(cell, block, i % 3 == 0);
    }
    return NULL;
}

static void op_cross_thread(struct cell *cell)
{
    struct team team = {.cell = cell, .count = 3000};
    size_t first = 0, last;

    team.blocks = blocks_new(cell, team.count);
    for (int round = 0; round < 6; round++) {
        allocate_all(&team);
        run_thread(cell, free_all, &team);
        run_thread(cell, allocate_all, &team);
        free_all(&team);
        if (round == 1)
            first = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ACTIVE);
    }
    last = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ACTIVE);
    NEED(last <= 2 * first + 8 * MIB, "it grows: %zu bytes active, later %zu", first, last);
}

/* --- threads that end with full caches -------------------------------------------------------- */

static void *fill_caches(void *argument)
{
    struct team *team = argument;
    struct cell *cell = team->cell;
    struct block blocks[200] = {{0}};

    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            size_t size = 1 + i * 53 + round;

            block_set(cell, &blocks[i], memkind_malloc(cell->kind, size), size, i);
        }
        for (size_t i = 0; i < LENGTH(blocks); i++)
            block_end(cell, &blocks[i], false);
    }
    return NULL;
}

/* What a thread had in its caches is free when it has ended. */
static void op_thread_exit(struct cell *cell)
{
    struct team team = {.cell = cell};
    size_t before = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED), after;

    for (int i = 0; i < 60; i++)
        run_thread(cell, fill_caches, &team);
    after = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
    NEED(after <= before, "%zu bytes allocated before, %zu after", before, after);
}

/* In the last of its four rounds of destructors a thread has ended for ThreadSanitizer; the
 * library's may come one round after the test's. */
#define DESTRUCTIONS (TEST_THREAD_SANITIZED ? 2 : 4)

static void allocate_at_exit(void *value)
{
    struct team *team = value;

    /* Again, after the library's own destructor may have run. */
    if (++team->count < DESTRUCTIONS)
        pthread_setspecific(team->key, team);
    fill_caches(team);
}

static void *end_with_destructor(void *argument)
{
    struct team *team = argument;

    pthread_setspecific(team->key, team);
    fill_caches(team);
    return NULL;
}

static void op_destructor(struct cell *cell)
{
    struct team team = {.cell = cell};
    size_t before = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED), after;

    NEED(pthread_key_create(&team.key, allocate_at_exit) == 0, "pthread_key_create");
    for (int i = 0; i < 10; i++) {
        team.count = 0;
        run_thread(cell, end_with_destructor, &team);
        NEED(team.count >= DESTRUCTIONS - 1, "the destructor ran %zu times", team.count);
    }
    pthread_key_delete(team.key);
    after = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
    NEED(after <= before + MIB, "%zu bytes allocated before, %zu after", before, after);
}

/* --- threads at once -------------------------------------------------------------------------- */

static void *churn(void *argument)
{
    struct team *team = argument;
    struct cell *cell = team->cell;
    struct block mine[64] = {{0}};
    uint64_t random = team->seed;

    for (int i = 0; i < (TEST_THREAD_SANITIZED ? 1000 : TEST_SANITIZED ? 3000 : 10000); i++) {
        struct block *block = &mine[test_random(&random) % LENGTH(mine)];
        size_t size = 1 + test_random(&random) % (i % 100 ? 3000 : 400000);

        block_end(cell, block, random % 3 == 0);
        block_set(cell, block, memkind_malloc(cell->kind, size), size, random);
    }
    for (size_t i = 0; i < LENGTH(mine); i++)
        block_end(cell, &mine[i], false);
    return NULL;
}

static void op_threads(struct cell *cell)
{
    struct team teams[4];
    pthread_t threads[4];

    for (size_t i = 0; i < LENGTH(threads); i++) {
        teams[i] = (struct team){.cell = cell, .seed = 77 + i};
        NEED(pthread_create(&threads[i], NULL, churn, &teams[i]) == 0, "pthread_create");
    }
    for (size_t i = 0; i < LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
}

/* --- fork ------------------------------------------------------------------------------------- */

#define INHERITED 600

static void fill_team(struct team *team, struct block *blocks, uint64_t seed)
{
    struct cell *cell = team->cell;

    for (size_t i = 0; i < INHERITED; i++) {
        size_t size = 1 + i * 41 % (i % 100 ? 9000 : 300000);

        block_set(cell, &blocks[i], memkind_malloc(cell->kind, size), size, seed + i);
    }
}

static void end_team(struct team *team, struct block *blocks)
{
    for (size_t i = 0; i < INHERITED; i++)
        block_end(team->cell, &blocks[i], i % 2);
}

/* The child's part. Pages in common with the parent: see memkind_create_pmem() and _fixed(). */
static void be_child(struct team *team)
{
    struct cell *cell = team->cell;
    bool shared = recipe_is_shared(cell->recipe);
    struct block *mine = blocks_new(cell, INHERITED);

    for (size_t i = 0; i < INHERITED; i++) {
        const struct block *old = &team->blocks[i];

        NEED(test_holds(old->at, old->size, old->seed), "child: a block of the parent is gone");
        NEED(memkind_detect_kind(old->at) == cell->kind, "child: detect_kind");
        NEED(memkind_malloc_usable_size(NULL, old->at) >= old->size, "child: usable size");
    }
    if (cell->recipe->sort == RECIPE_FIXED && shared)
        return; /* one heap for two processes: this one does nothing */
    fill_team(team, mine, 100000);
    for (size_t i = 0; i < INHERITED; i += 2) {
        struct block old = team->blocks[i];
        void *moved = memkind_realloc(i % 4 ? cell->kind : NULL, old.at, old.size + 100);

        NEED(moved && test_holds(moved, old.size, old.seed), "child: realloc of a parent's block");
        memset(moved, 0x33, old.size + 100);
        memkind_free(cell->kind, moved);
    }
    for (size_t i = 1; i < INHERITED; i += 4)
        memkind_free(i % 3 ? cell->kind : NULL, team->blocks[i].at);
    end_team(team, mine);
    fill_team(team, mine, 200000);
    end_team(team, mine);
}

static void op_fork(struct cell *cell)
{
    struct team team = {.cell = cell, .blocks = blocks_new(cell, INHERITED)};
    struct block *later = blocks_new(cell, INHERITED);
    int status;
    pid_t child;

    fill_team(&team, team.blocks, 1000);
    child = fork();
    NEED(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        alarm(60);
        be_child(&team);
        _exit(0);
    }
    fill_team(&team, later, 50000);
    NEED(waitpid(child, &status, 0) == child, "waitpid");
    NEED(status == 0, "the child ended with status %x", (unsigned)status);
    end_team(&team, team.blocks);
    end_team(&team, later);
    fill_team(&team, later, 70000);
    end_team(&team, later);
}

const struct operation matrix_process_operations[] = {
    {"freed by another thread", " malloc realloc free ", op_cross_thread},
    {"thread exit", " free ", op_thread_exit},
    {"allocating destructor", " malloc free ", op_destructor},
    {"threads at once", " malloc free ", op_threads},
    {"fork", " malloc realloc free detect_kind ", op_fork},
};
const size_t matrix_process_operation_count = LENGTH(matrix_process_operations);
