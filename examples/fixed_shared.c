/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fixed_shared: a list that one process builds and another one reads, without a copy.
 *
 * The area is shared memory, at the same address in both processes, so pointers into it mean the
 * same. Of the two, only one may allocate and free: here the child, which makes the kind. It ends
 * without destroying it, and what it wrote is still there. (memkind_destroy_kind() would leave the
 * content, too: the library does not touch an area that it gives back.)
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain.h"

#define AREA_SIZE ((size_t)32 << 20)
#define COUNT 100000

struct item {
    struct item *next;
    int value;
};

/* Where the reader begins; itself shared. */
struct shared {
    struct item *list;
};

static int build(struct shared *shared, void *area)
{
    memkind_t kind;
    int error = memkind_create_fixed(area, AREA_SIZE, &kind);

    if (error)
        return explain("memkind_create_fixed", error);
    for (int i = 1; i <= COUNT; i++) {
        struct item *item = memkind_malloc(kind, sizeof *item);

        if (!item) {
            perror("memkind_malloc");
            return EXIT_FAILURE;
        }
        item->value = i;
        item->next = shared->list;
        shared->list = item;
    }
    return EXIT_SUCCESS;
}

static void *map_shared(size_t size)
{
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return address == MAP_FAILED ? NULL : address;
}

int main(void)
{
    struct shared *shared = map_shared(sizeof *shared);
    void *area = map_shared(AREA_SIZE);
    long long sum = 0;
    int count = 0, status;
    pid_t child;

    if (!shared || !area) {
        perror("mmap");
        return EXIT_FAILURE;
    }
    child = fork();
    if (child == 0)
        _exit(build(shared, area));
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        return EXIT_FAILURE;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return EXIT_FAILURE;
    for (struct item *item = shared->list; item; item = item->next) {
        count++;
        sum += item->value;
    }
    printf("built by the child, read by the parent: %d items, sum %lld\n", count, sum);
    return EXIT_SUCCESS;
}
