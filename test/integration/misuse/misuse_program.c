/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * misuse_program: does one thing that a program must not do with its blocks; test_misuse.c says
 * what the library is to find.
 *
 * usage: misuse_program MISUSE KIND
 */
#include <hbwmalloc.h>
#include <memkind.h>
#include <memkind_memtier.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 100
#define AREA ((size_t)64 << 20)

static memkind_t kind;

/* Whether what is behind the block cannot be touched: the kernel says so without a fault. */
static bool is_guarded(const char *block)
{
    const char *behind = (const char *)(((uintptr_t)block + SIZE + 15) & ~(uintptr_t)15);
    static int ends[2];
    char byte;

    if ((uintptr_t)behind % (uintptr_t)sysconf(_SC_PAGESIZE) || (!ends[0] && pipe(ends)))
        return false;
    return write(ends[1], behind, 1) < 0 || read(ends[0], &byte, 1) < 0;
}

/* A block of the kind; with MEMKIND_CHECK=1, a guarded one. */
static char *get(void)
{
    const char *level = getenv("MEMKIND_CHECK");
    char *block = memkind_malloc(kind, SIZE);

    for (int i = 0; level && level[0] == '1' && !is_guarded(block); i++) {
        if (i == 250000) /* more than two are ever apart */
            abort();
        memkind_free(kind, block);
        block = memkind_malloc(kind, SIZE);
    }
    return block;
}

/* Memory of freed blocks that the library holds goes back to its heap manager. */
static void free_many(void)
{
    for (int i = 0; i < 100; i++)
        memkind_free(kind, memkind_malloc(kind, (size_t)1 << 20));
}

/* --- overflow and underflow ------------------------------------------------------------------- */

static void overflow(void)
{
    char *block = get();

    block[SIZE] = 1;
    memkind_free(kind, block);
}

static void overflow_far(void)
{
    char *block = get();

    block[SIZE + 20] = 1;
    memkind_free(NULL, block);
}

static void overflow_large(void)
{
    size_t size = 3000001;
    char *block = memkind_malloc(kind, size);

    block[size] = 1;
    memkind_free(kind, block);
}

static void overflow_aligned(void)
{
    void *block = NULL;

    if (memkind_posix_memalign(kind, &block, 512, SIZE) || (unsigned long)block % 512)
        abort();
    ((char *)block)[SIZE] = 1;
    memkind_free(kind, block);
}

static void overflow_calloc(void)
{
    char *block = memkind_calloc(kind, SIZE, 3);

    for (int i = 0; i < 3 * SIZE; i++)
        if (block[i])
            abort();
    block[3 * SIZE] = 1;
    memkind_free(kind, block);
}

static void overflow_realloc(void)
{
    char *block = memkind_realloc(kind, get(), 2000);

    block[2000] = 1;
    memkind_free(kind, memkind_realloc(kind, block, 3000));
}

static void overflow_unfreed(void)
{
    get()[SIZE] = 1;
}

static void overflow_destroyed(void)
{
    memkind_t own;

    if (memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, 0, &own))
        abort();
    ((char *)memkind_malloc(own, SIZE))[SIZE] = 1;
    memkind_destroy_kind(own);
}

static void underflow(void)
{
    char *block = get();

    block[-1] = 1;
    memkind_free(kind, block);
}

/* --- use after free --------------------------------------------------------------------------- */

static void write_after_free(void)
{
    char *block = get();

    memkind_free(kind, block);
    block[10] = 1;
    free_many();
}

static void write_after_free_at_exit(void)
{
    char *block = get();

    memkind_free(kind, block);
    block[10] = 1;
}

static void write_after_realloc(void)
{
    char *block = get(), *moved = memkind_realloc(kind, block, 10 * SIZE);

    if (moved != block)
        block[0] = 1;
    memkind_free(kind, moved);
}

/* A freed block has none of its content. */
static void read_after_free(void)
{
    volatile char *block = get();
    char byte;

    block[10] = 1;
    memkind_free(kind, (void *)block);
    byte = block[10];
    if (byte != 1)
        fputs("other content\n", stderr);
}

/* --- double free ------------------------------------------------------------------------------ */

static void double_free(void)
{
    char *block = get();

    memkind_free(kind, block);
    memkind_free(kind, block);
}

static void double_free_unknown(void)
{
    char *block = get();

    memkind_free(NULL, block);
    memkind_free(NULL, block);
}

static void double_free_later(void)
{
    char *block = get(), *other = get();

    memkind_free(kind, block);
    memkind_free(kind, other);
    memkind_free(kind, block);
}

static void double_free_gone(void)
{
    char *block = memkind_malloc(kind, 5000);

    memkind_free(kind, block);
    free_many();
    memkind_free(kind, block);
}

static void *free_it(void *block)
{
    memkind_free(kind, block);
    return NULL;
}

static void double_free_thread(void)
{
    char *block = get();
    pthread_t thread;

    memkind_free(kind, block);
    pthread_create(&thread, NULL, free_it, block);
    pthread_join(thread, NULL);
}

static void double_free_hbw(void)
{
    char *block = hbw_malloc(SIZE);

    hbw_free(block);
    hbw_free(block);
}

static void double_free_memtier(void)
{
    char *block = memtier_kind_malloc(kind, SIZE);

    memtier_kind_free(kind, block);
    memkind_free(NULL, block);
}

static void free_after_realloc(void)
{
    char *block = get(), *moved = memkind_realloc(kind, block, 10 * SIZE);

    memkind_free(kind, block);
    memkind_free(kind, moved);
}

/* The child of a fork(2) has blocks of its parent's that are its own. */
static void double_free_child(void)
{
    char *block = get();
    pid_t child;

    memkind_free(kind, block);
    child = fork();
    if (child == 0) {
        memkind_free(kind, block);
        exit(0);
    }
    waitpid(child, NULL, 0);
}

/* --- what is no block ------------------------------------------------------------------------- */

static void interior(void)
{
    char *block = get();

    memkind_free(kind, block + 8);
    memkind_free(kind, block);
}

static void interior_unknown(void)
{
    char *block = get();

    memkind_free(NULL, block + 16);
    memkind_free(NULL, block);
}

static void interior_large(void)
{
    char *block = memkind_malloc(kind, 3000000);

    memkind_free(kind, block + 4096);
    memkind_free(kind, block);
}

static void before(void)
{
    char *block = get();

    memkind_free(kind, block - 16);
    memkind_free(kind, block);
}

static void foreign(void)
{
    char block[SIZE];

    memkind_free(kind, get());
    memkind_free(kind, block);
}

static void foreign_unknown(void)
{
    void *block = malloc(SIZE);

    memkind_free(kind, get());
    memkind_free(NULL, block);
    free(block);
}

static void realloc_freed(void)
{
    char *block = get();

    memkind_free(kind, block);
    if (memkind_realloc(kind, block, 2 * SIZE))
        abort();
}

static void realloc_interior(void)
{
    char *block = get();

    if (memkind_realloc(kind, block + 16, 2 * SIZE))
        abort();
    memkind_free(kind, block);
}

static memkind_t other_kind(void)
{
    return kind == MEMKIND_REGULAR ? MEMKIND_DEFAULT : MEMKIND_REGULAR;
}

static void wrong_kind(void)
{
    char *block = get();

    memkind_free(other_kind(), memkind_malloc(other_kind(), 1));
    memkind_free(other_kind(), block);
}

static void wrong_kind_unused(void)
{
    memkind_free(other_kind(), get());
}

/* --- leaks ------------------------------------------------------------------------------------ */

static void leak(void)
{
    for (int i = 1; i <= 3; i++)
        memkind_free(NULL, memkind_malloc(kind, 10));
    for (int i = 1; i <= 3; i++)
        if (!memkind_malloc(kind, 10 * (size_t)i))
            abort();
}

/* What a parent has is no leak of its child's. */
static void leak_child(void)
{
    char *block = get();
    pid_t child = fork();

    if (child == 0)
        exit(0);
    waitpid(child, NULL, 0);
    memkind_free(kind, block);
}

/* What is destroyed with its kind is none. */
static void leak_destroyed(void)
{
    memkind_t own;

    if (memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, 0, &own) ||
        !memkind_malloc(own, SIZE))
        abort();
    memkind_destroy_kind(own);
}

/* --- guarded blocks --------------------------------------------------------------------------- */

static void own_handler(int signal)
{
    (void)signal;
    (void)!write(STDERR_FILENO, "own handler\n", 12);
    _exit(3);
}

/* The program's handler has its turn after the library's. */
static void chained(void)
{
    volatile char *block;

    signal(SIGSEGV, own_handler);
    block = get();
    memkind_free(kind, (void *)block);
    block[10] = 1;
}

/* Kinds are destroyed with guarded blocks in them, and made again. */
static void guarded_destroyed(void)
{
    for (int i = 0; i < 3; i++) {
        if (memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind))
            abort();
        memset(get(), i, SIZE);
        memkind_free(kind, get());
        memkind_destroy_kind(kind);
    }
}

/* A guarded block is a block as any. */
static void guarded_is_a_block(void)
{
    char *block = get();
    size_t before_it, after;

    memkind_update_cached_stats();
    memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &before_it);
    memset(block, 7, SIZE);
    if (memkind_malloc_usable_size(kind, block) != SIZE || memkind_detect_kind(block) != kind ||
        memkind_detect_kind(block + 1) || memkind_defrag_reallocate(kind, block))
        abort();
    block = memkind_realloc(kind, block, 2 * SIZE);
    if (block[0] != 7 || block[SIZE - 1] != 7 || is_guarded(block))
        abort();
    memkind_free(NULL, block);
    memkind_update_cached_stats();
    memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &after);
    if (after + SIZE != before_it)
        fprintf(stderr, "%zu bytes before, %zu after\n", before_it, after);
}

/* --- nothing of it ---------------------------------------------------------------------------- */

static void none(void)
{
    char *blocks[200];
    size_t before_it, after;

    memkind_update_cached_stats();
    memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &before_it);
    for (size_t i = 0; i < 200; i++) {
        size_t size = 1 + i * i;

        blocks[i] = memkind_malloc(kind, size);
        if (memkind_malloc_usable_size(kind, blocks[i]) < size ||
            memkind_detect_kind(blocks[i]) != kind || memkind_detect_kind(blocks[i] + 1) == kind)
            abort();
        memset(blocks[i], (int)i, memkind_malloc_usable_size(kind, blocks[i]));
    }
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = memkind_realloc(i % 2 ? kind : NULL, blocks[i], 1 + i);
        if (blocks[i][0] != (char)i || blocks[i][(i * i < i ? i * i : i)] != (char)i)
            abort();
    }
    for (size_t i = 0; i < 200; i++)
        memkind_free(i % 3 ? kind : NULL, blocks[i]);
    memkind_update_cached_stats();
    memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &after);
    if (after != before_it)
        fprintf(stderr, "%zu bytes before, %zu after\n", before_it, after);
}

/* --- all -------------------------------------------------------------------------------------- */

#define MISUSE(name) \
    {                \
#name, name  \
    }

static const struct {
    const char *name;
    void (*commit)(void);
} misuses[] = {
    MISUSE(overflow),
    MISUSE(overflow_far),
    MISUSE(overflow_large),
    MISUSE(overflow_aligned),
    MISUSE(overflow_calloc),
    MISUSE(overflow_realloc),
    MISUSE(overflow_unfreed),
    MISUSE(overflow_destroyed),
    MISUSE(underflow),
    MISUSE(write_after_free),
    MISUSE(write_after_free_at_exit),
    MISUSE(write_after_realloc),
    MISUSE(read_after_free),
    MISUSE(double_free),
    MISUSE(double_free_unknown),
    MISUSE(double_free_later),
    MISUSE(double_free_gone),
    MISUSE(double_free_thread),
    MISUSE(double_free_hbw),
    MISUSE(double_free_memtier),
    MISUSE(double_free_child),
    MISUSE(free_after_realloc),
    MISUSE(interior),
    MISUSE(interior_unknown),
    MISUSE(interior_large),
    MISUSE(before),
    MISUSE(foreign),
    MISUSE(foreign_unknown),
    MISUSE(realloc_freed),
    MISUSE(realloc_interior),
    MISUSE(wrong_kind),
    MISUSE(wrong_kind_unused),
    MISUSE(leak),
    MISUSE(leak_child),
    MISUSE(leak_destroyed),
    MISUSE(chained),
    MISUSE(guarded_destroyed),
    MISUSE(guarded_is_a_block),
    MISUSE(none),
};

static void *map_region(void *context, size_t size, size_t alignment)
{
    (void)context;
    return aligned_alloc(alignment, size);
}

static void unmap_region(void *context, void *address, size_t size)
{
    (void)context, (void)size;
    free(address);
}

static int make_kind(const char *name)
{
    static const struct memkind_page_ops custom = {.map = map_region, .unmap = unmap_region};

    if (strcmp(name, "DEFAULT") == 0)
        kind = MEMKIND_DEFAULT;
    else if (strcmp(name, "REGULAR") == 0)
        kind = MEMKIND_REGULAR;
    else if (strcmp(name, "PMEM") == 0)
        return memkind_create_pmem("/tmp", AREA, &kind);
    else if (strcmp(name, "FIXED") == 0)
        return memkind_create_fixed(
            mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), AREA,
            &kind);
    else if (strcmp(name, "CUSTOM") == 0)
        return memkind_create_custom(&custom, NULL, &kind);
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && make_kind(argv[2]) == 0)
        for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
            if (strcmp(argv[1], misuses[i].name) == 0) {
                misuses[i].commit();
                return 0;
            }
    return 2;
}
