/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * ask: asks for blocks as its arguments say, writes them, and keeps them. Prints "well".
 *
 *   malloc:SIZE, calloc:SIZE, aligned:SIZE, realloc:SIZE (of a block of 10 bytes), shrink:SIZE (of
 *   one of 1 MiB)
 *   off, on    disableAutoHBW(), enableAutoHBW()
 *   fill       as many blocks of 1 MiB as there are, and says how many
 *   fork       forks; parent and child write blocks of before and new ones, and look at them
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAIL(what)                                             \
    do {                                                       \
        fprintf(stderr, "ask: line %d: %s\n", __LINE__, what); \
        _exit(1);                                              \
    } while (0)

static void *ask_for(const char *how, size_t size)
{
    if (strncmp(how, "malloc", 6) == 0)
        return malloc(size);
    if (strncmp(how, "calloc", 6) == 0)
        return calloc(1, size);
    if (strncmp(how, "aligned", 7) == 0)
        return aligned_alloc(64, size);
    if (strncmp(how, "realloc", 7) == 0)
        return realloc(strcpy(malloc(10), "grows"), size);
    if (strncmp(how, "shrink", 6) == 0)
        return realloc(memset(malloc(1 << 20), 'x', 1 << 20), size);
    FAIL(how);
}

static void switch_to(const char *function)
{
    void (*found)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, function);

    if (!found)
        FAIL(function);
    found();
}

static void fill(void)
{
    size_t count = 0;

    for (char *block; count < 200 && (block = malloc(1 << 20)); count++)
        memset(block, 1, 1 << 20);
    printf("%zu\n", count);
}

/* --- fork ------------------------------------------------------------------------------------- */

#define BLOCKS 600

static unsigned char *blocks[2 * BLOCKS];

static size_t size_of(size_t number)
{
    return 1 + number * 37 % 3000;
}

static void write_blocks(size_t count, int seed)
{
    for (size_t i = 0; i < count; i++)
        memset(blocks[i], (int)(i + (size_t)seed), size_of(i));
}

static void look_at_blocks(size_t count, int seed)
{
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < size_of(i); at++)
            if (blocks[i][at] != (unsigned char)(i + (size_t)seed))
                FAIL("a block has another one's bytes");
}

static void get_blocks(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        if (!(blocks[i] = malloc(size_of(i))))
            FAIL("no block");
}

/* Each side of the fork writes while the other one looks; then half of the blocks go, and grow. */
static void work(int seed, int wait_for, int tell)
{
    char word = 1;

    look_at_blocks(BLOCKS, 1);
    if (write(tell, &word, 1) != 1 || read(wait_for, &word, 1) != 1)
        FAIL("pipe");
    get_blocks(BLOCKS, BLOCKS);
    write_blocks(2 * BLOCKS, seed);
    if (write(tell, &word, 1) != 1 || read(wait_for, &word, 1) != 1)
        FAIL("pipe");
    look_at_blocks(2 * BLOCKS, seed);
    for (size_t i = 0; i < 2 * BLOCKS; i += 2)
        blocks[i] = realloc(blocks[i], 5000);
    look_at_blocks(2 * BLOCKS, seed);
    for (size_t i = 0; i < 2 * BLOCKS; i++)
        free(blocks[i]);
}

static void fork_and_work(int depth)
{
    int to_child[2], to_parent[2], status;
    pid_t child;

    if (pipe(to_child) || pipe(to_parent))
        FAIL("pipe");
    get_blocks(0, BLOCKS);
    write_blocks(BLOCKS, 1);
    child = fork();
    if (child < 0)
        FAIL("fork");
    if (!child) {
        work(2, to_child[0], to_parent[1]);
        if (depth)
            fork_and_work(depth - 1);
        _exit(0);
    }
    close(to_child[0]);
    close(to_parent[1]);
    work(3, to_parent[0], to_child[1]);
    if (waitpid(child, &status, 0) != child || status)
        FAIL("the child failed");
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        const char *colon = strchr(argv[i], ':');

        if (colon) {
            size_t size = strtoul(colon + 1, NULL, 10);
            char *block = ask_for(argv[i], size);

            if (!block)
                FAIL("no block");
            memset(block, 1, size);
        } else if (strcmp(argv[i], "fork") == 0) {
            fork_and_work(1);
        } else if (strcmp(argv[i], "fill") == 0) {
            fill();
        } else {
            switch_to(strcmp(argv[i], "on") == 0 ? "enableAutoHBW" : "disableAutoHBW");
        }
    }
    puts("well");
    return 0;
}
