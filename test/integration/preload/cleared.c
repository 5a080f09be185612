/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cleared: a program that throws its environment away, as daemons do, and then allocates in
 * threads. No block may be missing, and none may overlap another. Prints "well".
 *
 *   cleared        it has had blocks before
 *   cleared first  its own first block comes afterwards
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define BLOCKS 2000
#define SIZE 1000

static void *blocks[THREADS][BLOCKS];

static void wrong(const char *what)
{
    fprintf(stderr, "cleared: %s\n", what);
    _exit(1);
}

static void *work(void *mine)
{
    void **list = mine;

    for (int i = 0; i < BLOCKS; i++) {
        list[i] = i % 2 ? malloc(SIZE) : calloc(1, SIZE);
        if (!list[i])
            wrong("no block");
        memcpy(list[i], &list, sizeof list);
        memcpy((char *)list[i] + SIZE - sizeof i, &i, sizeof i);
    }
    return NULL;
}

static void check(void **list)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (memcmp(list[i], &list, sizeof list) != 0 ||
            memcmp((char *)list[i] + SIZE - sizeof i, &i, sizeof i) != 0)
            wrong("blocks overlap");
        free(list[i]);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];

    if (argc < 2 || strcmp(argv[1], "first") != 0)
        free(malloc(SIZE));
    clearenv();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, blocks[i]))
            wrong("no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        check(blocks[i]);
    puts("well");
    return 0;
}
