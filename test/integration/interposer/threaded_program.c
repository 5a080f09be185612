/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * threaded_program: an ordinary program that asks all of malloc's family for blocks, in threads
 * that come and go, in destructors and in forked children, and checks what it gets. Prints "well".
 * It is run with and without libmemkind-preload.so.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(condition)                                                             \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "threaded_program: line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                                 \
        }                                                                             \
    } while (0)

static pthread_key_t key;

static bool aligned(const void *block, size_t alignment)
{
    return ((uintptr_t)block & (alignment - 1)) == 0;
}

/* The family's rules, one by one. */
static void check_rules(void)
{
    void *volatile block;
    void *other = NULL;
    volatile size_t huge = SIZE_MAX / 2;

    errno = 77;
    block = malloc(0);
    EXPECT(block != NULL && errno == 77);
    free(block);
    block = calloc(0, 8);
    EXPECT(block != NULL);
    block = realloc(block, 100);
    EXPECT(block != NULL && malloc_usable_size(block) >= 100);
    errno = 77;
    free(block);
    EXPECT(errno == 77);
    free(NULL);
    EXPECT(malloc(huge) == NULL && errno == ENOMEM);
    EXPECT(calloc(huge, 4) == NULL && errno == ENOMEM);
    EXPECT(reallocarray(NULL, huge, 4) == NULL && errno == ENOMEM);
    errno = 77;
    EXPECT(posix_memalign(&other, 3, 100) == EINVAL && other == NULL && errno == 77);
    for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
        EXPECT(posix_memalign(&other, alignment, 333) == 0 && aligned(other, alignment));
        free(other);
        block = aligned_alloc(alignment, alignment * 3);
        EXPECT(block && aligned(block, alignment));
        free(block);
        block = memalign(alignment, 50);
        EXPECT(block && aligned(block, alignment));
        free(block);
    }
    block = valloc(10);
    EXPECT(block && aligned(block, 4096));
    free(block);
    block = pvalloc(10);
    EXPECT(block && aligned(block, 4096) && malloc_usable_size(block) >= 4096);
    free(block);
    EXPECT(malloc_usable_size(NULL) == 0);
    EXPECT(realloc(malloc(10), 0) == NULL);
}

static void check_content(unsigned seed)
{
    unsigned char *blocks[200];
    size_t sizes[200];

    for (int i = 0; i < 200; i++) {
        sizes[i] = 1 + (seed * 7919u + (unsigned)i * 104729u) % (i % 20 ? 2000 : 300000);
        blocks[i] = i % 3 ? malloc(sizes[i]) : calloc(1, sizes[i]);
        EXPECT(blocks[i]);
        if (i % 3 == 0)
            EXPECT(blocks[i][0] == 0 && blocks[i][sizes[i] - 1] == 0);
        memset(blocks[i], (int)(seed + (unsigned)i), sizes[i]);
    }
    for (int i = 0; i < 200; i += 2) {
        blocks[i] = realloc(blocks[i], sizes[i] + 100);
        EXPECT(blocks[i]);
    }
    for (int i = 0; i < 200; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            EXPECT(blocks[i][j] == (unsigned char)(seed + (unsigned)i));
        free(blocks[i]);
    }
}

static void destroy(void *value)
{
    char *copy = strdup(value);

    EXPECT(copy && strcmp(copy, "last words") == 0);
    free(copy);
    free(value);
}

static void *in_thread(void *seed)
{
    pthread_setspecific(key, strdup("last words"));
    check_content((unsigned)(uintptr_t)seed);
    return strdup("from a thread");
}

static void run_threads(int rounds)
{
    pthread_t threads[8];

    for (int round = 0; round < rounds; round++) {
        for (uintptr_t i = 0; i < 8; i++)
            EXPECT(pthread_create(&threads[i], NULL, in_thread,
                                  (void *)(i + (uintptr_t)round * 8)) == 0);
        for (int i = 0; i < 8; i++) {
            void *text;

            pthread_join(threads[i], &text);
            EXPECT(text && strcmp(text, "from a thread") == 0);
            free(text);
        }
    }
}

int main(void)
{
    EXPECT(pthread_key_create(&key, destroy) == 0);
    check_rules();
    check_content(1);
    run_threads(20);
    for (int i = 0; i < 5; i++) {
        int status;
        pid_t child = fork();

        if (child == 0) {
            alarm(60);
            check_content(3);
            run_threads(2);
            _exit(0);
        }
        EXPECT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    puts("well");
    return 0;
}
