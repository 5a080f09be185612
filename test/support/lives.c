/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see lives.h. */
#include "lives.h"

#include <stdlib.h>
#include <string.h>

int memkind_je_mallctl(const char *name, void *old, size_t *old_size, void *fresh,
                       size_t fresh_size);

/* --- what the process holds ------------------------------------------------------------------- */

static size_t control_size(const char *name)
{
    size_t value = 0, size = sizeof value;

    cr_assert_eq(memkind_je_mallctl(name, &value, &size, NULL, 0), 0, "mallctl %s", name);
    return value;
}

/* All there is in arena 0. */
size_t own_bytes(void)
{
    uint64_t epoch = 1;

    cr_assert_eq(memkind_je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch), 0);
    return control_size("stats.arenas.0.small.allocated") +
           control_size("stats.arenas.0.large.allocated");
}

unsigned arenas(void)
{
    unsigned count = 0;
    size_t size = sizeof count;

    cr_assert_eq(memkind_je_mallctl("arenas.narenas", &count, &size, NULL, 0), 0);
    return count;
}

/* --- threads and kinds ------------------------------------------------------------------------ */

pthread_t start(size_t stack, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    pthread_attr_init(&attributes);
    if (stack)
        pthread_attr_setstacksize(&attributes, stack);
    error = pthread_create(&thread, &attributes, body, argument);
    cr_assert_eq(error, 0, "pthread_create: %s", strerror(error));
    pthread_attr_destroy(&attributes);
    return thread;
}

void finish(pthread_t thread)
{
    void *result;

    pthread_join(thread, &result);
    cr_assert_null(result, "in a thread: %s", (char *)result);
}

memkind_t create(void)
{
    memkind_t kind = NULL;
    int error = test_create_kind((memkind_bits_t)0, &kind);

    cr_assert_eq(error, 0, "test_create_kind: %d", error);
    return kind;
}

memkind_t kinds[KINDS];

void use_five_kinds(void)
{
    setenv("MEMKIND_HBW_NODES", "0", 1);
    kinds[0] = MEMKIND_DEFAULT;
    kinds[1] = MEMKIND_REGULAR;
    kinds[2] = MEMKIND_HBW_PREFERRED;
    kinds[3] = create();
    kinds[4] = create();
}

char *use_kinds(unsigned seed)
{
    for (int i = 0; i < KINDS; i++) {
        size_t size = 1 + (seed * 37 + (unsigned)i * 101) % 3000;
        unsigned char *block = memkind_malloc(kinds[i], size);
        unsigned char *zeroed = memkind_calloc(kinds[i], 3, 50);

        EXPECT(block && zeroed);
        memset(block, (int)seed, size);
        EXPECT(zeroed[0] == 0 && zeroed[149] == 0);
        EXPECT(memkind_detect_kind(block) == kinds[i]);
        block = memkind_realloc(kinds[i], block, size * 2);
        EXPECT(block && block[0] == (unsigned char)seed && block[size - 1] == (unsigned char)seed);
        memkind_free(kinds[i], zeroed);
        memkind_free(seed % 2 ? NULL : kinds[i], block);
    }
    return NULL;
}

void live_and_die(unsigned threads, unsigned at_once, void *(*body)(void *))
{
    pthread_t running[64];

    for (unsigned done = 0; done < threads; done += at_once) {
        for (unsigned i = 0; i < at_once; i++)
            running[i] = start(128 * KIB, body, (void *)(uintptr_t)(done + i));
        for (unsigned i = 0; i < at_once; i++)
            finish(running[i]);
    }
}

pthread_barrier_t barrier;

void *use_all_together(void *argument)
{
    char *wrong = use_kinds((unsigned)(uintptr_t)argument);

    pthread_barrier_wait(&barrier); /* every thread has its caches now */
    if (!wrong)
        wrong = use_kinds((unsigned)(uintptr_t)argument + 1);
    return wrong;
}

void gather(unsigned threads, void *(*body)(void *))
{
    pthread_t *running = calloc(threads, sizeof *running);

    cr_assert(running);
    cr_assert_eq(pthread_barrier_init(&barrier, NULL, threads), 0);
    for (unsigned i = 0; i < threads; i++)
        running[i] = start(128 * KIB, body, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < threads; i++)
        finish(running[i]);
    pthread_barrier_destroy(&barrier);
    free(running);
}
