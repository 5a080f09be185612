/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * A program with known call sites, for test_profile.py: what it says there must be in the profile.
 *
 * usage: profile_program sites | threads | fork | busy | arrays | reads | inlined
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANY 20000

static void *kept[MANY];

static void pause_ms(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};

    nanosleep(&time, NULL);
}

/* Each has a frame of its own, and does not return what malloc does in the same way as another. */
__attribute__((noinline)) void *site_small(void)
{
    void *block = malloc(1000);

    memset(block, 1, 1000);
    return block;
}

__attribute__((noinline)) void *site_short(void)
{
    void *block = malloc(4096);

    memset(block, 2, 4096);
    return block;
}

__attribute__((noinline)) void *site_grown(void *block)
{
    block = realloc(block, 8000000);
    memset(block, 3, 8000000);
    return block;
}

/* 20 MB at site_small, half of which goes; 41 MB at site_short, never more than one block; 8 MB at
 * site_grown, which are the peak for 50 ms. Its name is a type's, too, as C++ writes it: float. */
static void f(void)
{
    void *grown;

    for (int i = 0; i < MANY; i++)
        kept[i] = site_small();
    for (int i = 0; i < MANY / 2; i++)
        free(site_short());
    grown = site_grown(NULL);
    pause_ms(50);
    grown = site_grown(grown);
    free(grown);
    for (int i = 0; i < MANY; i += 2)
        free(kept[i]);
}

static void *use_thread(void *from)
{
    for (void **block = from; block < (void **)from + MANY / 4; block++)
        *block = site_small();
    return NULL;
}

/* Blocks of four threads go on another. */
static void use_threads(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, use_thread, &kept[MANY / 4 * i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < MANY; i++)
        free(kept[i]);
}

/* The child frees what its parent had, which is none of its business, and has something itself. */
static void use_fork(void)
{
    pid_t child;

    for (int i = 0; i < MANY; i++)
        kept[i] = site_small();
    child = fork();
    if (child == 0) {
        for (int i = 0; i < MANY; i++)
            free(kept[i]);
        kept[0] = site_grown(NULL);
        exit(0);
    }
    waitpid(child, NULL, 0);
}

/* Forks while other threads allocate: nobody waits for a lock of a thread that is not there. */
static void use_busy(void)
{
    pthread_t thread;

    for (int round = 0; round < 20; round++) {
        pthread_create(&thread, NULL, use_thread, kept);
        if (fork() == 0) {
            for (int i = 0; i < 100; i++)
                free(site_short());
            exit(0);
        }
        pthread_join(thread, NULL);
        wait(NULL);
    }
}

__attribute__((noinline)) char *site_cold(void)
{
    char *array = malloc(4000000);

    memset(array, 1, 4000000);
    return array;
}

__attribute__((noinline)) char *site_hot(void)
{
    char *array = malloc(2000000);

    memset(array, 1, 2000000);
    return array;
}

/* Seven arrays that are not much used once they are filled, and three that are. */
static char *cold[7], *hot[3];

static void fill_arrays(void)
{
    for (int i = 0; i < 7; i++)
        cold[i] = site_cold();
    for (int i = 0; i < 3; i++)
        hot[i] = site_hot();
}

static void read_array(const char *array, int size)
{
    volatile char sum = 0;

    for (int place = 0; place < size; place += 64)
        sum = (char)(sum + array[place]);
}

/* The first ones are only read, the others are written all the time. */
static void use_arrays(void)
{
    fill_arrays();
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 3; i++)
            memset(hot[i], round, 2000000);
        for (int i = 0; i < 7; i++)
            read_array(cold[i], 4000000);
        pause_ms(10);
    }
}

/* The last ones are read all the time, and nothing is written. */
static void use_reads(void)
{
    fill_arrays();
    for (int round = 0; round < 400; round++) {
        read_array(hot[round % 3], 2000000);
        pause_ms(10);
    }
}

/* Calls that the compiler makes a part of the function around them, in which malloc() is called. */
static inline __attribute__((always_inline)) void *inlined_inner(size_t size)
{
    void *block = malloc(size);

    memset(block, 4, size);
    return block;
}

static inline __attribute__((always_inline)) void *inlined_middle(size_t size)
{
    return inlined_inner(size + 1);
}

__attribute__((noinline)) void *site_around(size_t size)
{
    void *block = inlined_middle(size);

    memset(block, 5, size);
    return block;
}

static void use_inlined(void)
{
    for (int i = 0; i < MANY; i++)
        kept[i] = site_around(999);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*use)(void);
    } all[] = {{"sites", f},
               {"threads", use_threads},
               {"fork", use_fork},
               {"busy", use_busy},
               {"arrays", use_arrays},
               {"reads", use_reads},
               {"inlined", use_inlined}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (argc == 2 && strcmp(argv[1], all[i].name) == 0) {
            all[i].use();
            puts("well");
            return 0;
        }
    return 2;
}
