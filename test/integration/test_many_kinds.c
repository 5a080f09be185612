/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_many_kinds: how many kinds a process can have, at the same time and one after the other.
 * Limits of what lies below (arenas, thread-specific keys, descriptors, mappings) do not show.
 */
#include "recipes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* As a machine with 224 CPUs has by itself. */
static void begin(void)
{
    struct rlimit files;

    test_with_nodes();
    setenv("MEMKIND_ARENA_NUM_PER_KIND", "896", 1);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

TestSuite(many_kinds, .init = begin, .timeout = 280);

/* --- at the same time ------------------------------------------------------------------------- */

#define LIVE 500
#define EACH 12

static memkind_t live[MEMKIND_MAX_KIND];

struct user {
    size_t number;
    unsigned char *blocks[LIVE][EACH];
    const char *wrong;
};

static size_t size_of(size_t kind, size_t i)
{
    return 1 + (kind * 37 + i * 311) % 3000;
}

static void *use_all(void *argument)
{
    struct user *user = argument;

    for (size_t kind = 0; kind < LIVE; kind++)
        for (size_t i = 0; i < EACH; i++) {
            unsigned char *block = memkind_malloc(live[kind], size_of(kind, i));

            user->blocks[kind][i] = block;
            if (!block) {
                user->wrong = "no block";
                return NULL;
            }
            test_fill(block, size_of(kind, i), user->number * 1000000 + kind * EACH + i);
        }
    return NULL;
}

static void *free_all(void *argument)
{
    struct user *user = argument;

    for (size_t kind = 0; kind < LIVE; kind++)
        for (size_t i = 0; i < EACH; i++) {
            unsigned char *block = user->blocks[kind][i];

            if (!test_holds(block, size_of(kind, i), user->number * 1000000 + kind * EACH + i))
                user->wrong = "overwritten";
            if (memkind_detect_kind(block) != live[kind])
                user->wrong = "another kind's";
            memkind_free(i % 2 ? NULL : live[kind], block);
        }
    return NULL;
}

static void run_both(struct user *users, void *(*function)(void *))
{
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, function, &users[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        cr_assert(!users[i].wrong, "%s", users[i].wrong);
    }
}

Test(many_kinds, live_pmem_kinds)
{
    static struct user users[2] = {{.number = 1}, {.number = 2}};
    size_t descriptors = test_descriptors();

    for (size_t i = 0; i < LIVE; i++) {
        int code = memkind_create_pmem(recipe_directory(), 0, &live[i]);

        cr_assert_eq(code, MEMKIND_SUCCESS, "kind %zu: %d", i, code);
    }
    for (int round = 0; round < 2; round++) {
        run_both(users, use_all);
        users[0].number = 2; /* each frees what the other has allocated */
        users[1].number = 1;
        for (size_t kind = 0; kind < LIVE; kind++)
            for (size_t i = 0; i < EACH; i++) {
                unsigned char *block = users[0].blocks[kind][i];

                users[0].blocks[kind][i] = users[1].blocks[kind][i];
                users[1].blocks[kind][i] = block;
            }
        run_both(users, free_all);
        users[0].number = 1;
        users[1].number = 2;
    }
    for (size_t i = 0; i < LIVE; i++)
        cr_assert_eq(memkind_destroy_kind(live[i]), MEMKIND_SUCCESS);
    cr_assert_leq(test_descriptors(), descriptors + 2, "descriptors are left");
}

/* MEMKIND_MAX_KIND, of all sorts, and not one more; then again. */
Test(many_kinds, one_too_many)
{
    static struct made made[MEMKIND_MAX_KIND];
    static const char *const names[] = {"pmem", "custom", "n. pref", "n. inter", "n. bindl"};

    for (int round = 0; round < 2; round++) {
        struct made extra;

        for (size_t i = 0; i < LENGTH(made); i++) {
            int code = recipe_make(recipe_named(names[i % LENGTH(names)]), &made[i]);

            cr_assert_eq(code, MEMKIND_SUCCESS, "kind %zu: %d", i, code);
        }
        for (size_t i = 0; i < recipe_count; i++)
            if (recipes[i].sort != RECIPE_STATIC && !recipes[i].page_size)
                cr_assert_eq(recipe_make(&recipes[i], &extra), MEMKIND_ERROR_TOOMANY, "%s",
                             recipes[i].name);
        for (size_t i = 0; i < LENGTH(made); i += 7) {
            memkind_free(NULL, memkind_malloc(made[i].kind, 100));
            cr_assert(!recipe_unmake(&made[i]));
            cr_assert_eq(recipe_make(recipe_named("n. bindl"), &made[i]), MEMKIND_SUCCESS);
            cr_assert_eq(recipe_make(recipe_named("pmem"), &extra), MEMKIND_ERROR_TOOMANY);
        }
        for (size_t i = 0; i < LENGTH(made); i++) {
            const char *wrong = recipe_unmake(&made[i]);

            cr_assert(!wrong, "%s", wrong);
        }
    }
}

/* --- one after the other ---------------------------------------------------------------------- */

/* More than the 4,094 arenas that jemalloc has and the 1,024 keys, but with sanitizers; a kind with
 * memory of its own costs more, and what it would lose shows sooner. */
#define LIVES (TEST_SANITIZED ? 1200 : 4500)
#define LIVES_WITH_MEMORY (TEST_SANITIZED ? 600 : 1500)
#define WARM 400

static void *use(void *argument)
{
    memkind_t kind = *(memkind_t *)argument;

    for (size_t i = 0; i < 20; i++) {
        char *block = memkind_malloc(kind, 1 + i * 400);

        if (!block)
            return argument;
        memset(block, 1, 1 + i * 400);
        if (i % 2)
            memkind_free(kind, block);
    }
    return NULL;
}

static void live_and_die(const char *name, int lives)
{
    size_t descriptors = 0, mappings = 0, resident = 0, address_space = 0;

    for (int i = 0; i < lives; i++) {
        struct made made;
        const char *wrong;
        int code = recipe_make(recipe_named(name), &made);

        cr_assert_eq(code, MEMKIND_SUCCESS, "kind %d: %d", i, code);
        cr_assert_null(use(&made.kind), "kind %d: no block", i);
        if (i % 8 == 0) {
            pthread_t thread;
            void *failed;

            cr_assert_eq(pthread_create(&thread, NULL, use, &made.kind), 0);
            pthread_join(thread, &failed);
            cr_assert_null(failed, "kind %d: no block", i);
        }
        wrong = recipe_unmake(&made);
        cr_assert(!wrong, "kind %d: %s", i, wrong);
        if (i == WARM) {
            descriptors = test_descriptors();
            mappings = test_mappings();
            resident = test_resident();
            address_space = test_virtual();
        }
    }
    cr_assert_eq(test_descriptors(), descriptors, "%zu descriptors, later %zu", descriptors,
                 test_descriptors());
    if (TEST_SANITIZED)
        return;
    cr_assert_leq(test_mappings(), mappings + 8, "%zu mappings, later %zu", mappings,
                  test_mappings());
    cr_assert_leq(test_resident(), resident + 4 * MIB, "%zu bytes resident, later %zu", resident,
                  test_resident());
    cr_assert_leq(test_virtual(), address_space + 64 * MIB, "%zu bytes mapped, later %zu",
                  address_space, test_virtual());
}

Test(many_kinds, life_of_kinds_of_preferred_nodes)
{
    live_and_die("n. pref", LIVES);
}

Test(many_kinds, life_of_kinds_of_interleaved_nodes)
{
    live_and_die("n. inter", LIVES);
}

Test(many_kinds, life_of_pmem_kinds)
{
    live_and_die("pmem", LIVES_WITH_MEMORY);
}

Test(many_kinds, life_of_conservative_pmem_kinds)
{
    live_and_die("pmem c lim", LIVES_WITH_MEMORY);
}

Test(many_kinds, life_of_fixed_kinds)
{
    live_and_die("fix anon", LIVES_WITH_MEMORY);
}

Test(many_kinds, life_of_custom_kinds)
{
    live_and_die("custom", LIVES_WITH_MEMORY);
}
