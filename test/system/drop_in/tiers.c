/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * tiers: every function of memkind_memtier.h of libmemkind 1.14.0, called at least once, with what
 * a program can rely on of its answer. Prints what it saw; tiers.expected has that. Node 0 plays
 * DAX memory.
 */
#include <memkind.h>
#include <memkind_memtier.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 4000

static void *blocks[BLOCKS];

static void say(const char *what, long value)
{
    printf("%s: %ld\n", what, value);
}

static struct memtier_memory *make(memtier_policy_t policy, unsigned first, unsigned second)
{
    struct memtier_builder *builder = memtier_builder_new(policy);
    struct memtier_memory *memory;

    say("builder", builder != NULL);
    say("first tier", memtier_builder_add_tier(builder, MEMKIND_DEFAULT, first));
    say("second tier", memtier_builder_add_tier(builder, MEMKIND_DAX_KMEM, second));
    say("the same again fails", memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 1) != 0);
    memory = memtier_builder_construct_memtier_memory(builder);
    memtier_builder_delete(builder);
    say("memory", memory != NULL);
    return memory;
}

/* Whether the second tier holds what it should, give or take a tenth. */
static bool is_shared(unsigned first, unsigned second)
{
    double holds = (double)memtier_kind_allocated_size(MEMKIND_DAX_KMEM);
    double all = holds + (double)memtier_kind_allocated_size(MEMKIND_DEFAULT);
    double part = holds / all / ((double)second / (first + second));

    return part > 0.9 && part < 1.1;
}

static void by_ratio(unsigned first, unsigned second)
{
    struct memtier_memory *memory = make(MEMTIER_POLICY_STATIC_RATIO, first, second);

    printf("-- a ratio of %u to %u\n", first, second);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memtier_malloc(memory, 100);
        memset(blocks[i], i, 100);
    }
    say("shared so", is_shared(first, second));
    for (int i = 0; i < BLOCKS; i++)
        memtier_free(blocks[i]);
    say("left", (long)(memtier_kind_allocated_size(MEMKIND_DEFAULT) +
                       memtier_kind_allocated_size(MEMKIND_DAX_KMEM)));
    memtier_delete_memtier_memory(memory);
}

static void by_threshold(void)
{
    struct memtier_memory *memory = make(MEMTIER_POLICY_DYNAMIC_THRESHOLD, 1, 1);
    void *small = memtier_malloc(memory, 16), *large = memtier_malloc(memory, 100000);

    puts("-- thresholds");
    say("a small block is of the first", memkind_detect_kind(small) == MEMKIND_DEFAULT);
    say("a large one of the second", memkind_detect_kind(large) == MEMKIND_DAX_KMEM);
    memtier_free(small);
    memtier_free(large);
    memtier_delete_memtier_memory(memory);
}

static void properties(void)
{
    struct memtier_builder *builder = memtier_builder_new(MEMTIER_POLICY_DYNAMIC_THRESHOLD);
    size_t value = 2000, least = 1000, most = 3000;
    unsigned interval = 10;
    float trigger = 0.1f, degree = 0.2f;
    struct memtier_memory *memory;
    void *block;

    puts("-- properties");
    memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 1);
    memtier_builder_add_tier(builder, MEMKIND_DAX_KMEM, 1);
    say("val", memtier_ctl_set(builder, "policy.dynamic_threshold.thresholds[0].val", &value));
    say("min", memtier_ctl_set(builder, "policy.dynamic_threshold.thresholds[0].min", &least));
    say("max", memtier_ctl_set(builder, "policy.dynamic_threshold.thresholds[0].max", &most));
    say("check_cnt", memtier_ctl_set(builder, "policy.dynamic_threshold.check_cnt", &interval));
    say("trigger", memtier_ctl_set(builder, "policy.dynamic_threshold.trigger", &trigger));
    say("degree", memtier_ctl_set(builder, "policy.dynamic_threshold.degree", &degree));
    say("unknown fails",
        memtier_ctl_set(builder, "policy.dynamic_threshold.nothing", &degree) != 0);
    memory = memtier_builder_construct_memtier_memory(builder);
    memtier_builder_delete(builder);
    say("memory", memory != NULL);
    block = memtier_malloc(memory, 1999);
    say("below the threshold, the first", memkind_detect_kind(block) == MEMKIND_DEFAULT);
    memtier_free(block);
    memtier_delete_memtier_memory(memory);
}

/* A block is counted in its kind, by its usable size. */
static void in_kind(const char *name, memkind_t kind)
{
    size_t before = memtier_kind_allocated_size(kind);
    char *block = memtier_kind_malloc(kind, 100);
    void *aligned = NULL;

    printf("-- %s\n", name);
    say("its kind", memkind_detect_kind(block) == kind);
    say("counted", memtier_kind_allocated_size(kind) == before + memtier_usable_size(block));
    strcpy(block, "kept");
    block = memtier_kind_realloc(kind, block, 10000);
    say("realloc keeps", strcmp(block, "kept") == 0);
    say("counted again", memtier_kind_allocated_size(kind) == before + memtier_usable_size(block));
    memtier_kind_free(kind, block);
    block = memtier_kind_calloc(kind, 10, 10);
    say("calloc is zero", block[0] == 0 && block[99] == 0);
    memtier_kind_free(NULL, block);
    say("posix_memalign", memtier_kind_posix_memalign(kind, &aligned, 4096, 100));
    say("aligned", (unsigned long)aligned % 4096 == 0);
    memtier_kind_free(kind, aligned);
    say("all free", memtier_kind_allocated_size(kind) == before);
}

static void in_memory(void)
{
    struct memtier_memory *memory = make(MEMTIER_POLICY_STATIC_RATIO, 1, 1);
    char *block = memtier_calloc(memory, 10, 10);
    void *aligned = NULL;
    memkind_t kind;

    puts("-- of a memory");
    say("calloc is zero", block[0] == 0 && block[99] == 0);
    kind = memkind_detect_kind(block);
    strcpy(block, "kept");
    block = memtier_realloc(memory, block, 5000);
    say("realloc keeps", strcmp(block, "kept") == 0);
    say("and its kind", memkind_detect_kind(block) == kind);
    memtier_free(block);
    block = memtier_realloc(memory, NULL, 100);
    say("realloc of NULL", block != NULL);
    memtier_free(block);
    say("posix_memalign", memtier_posix_memalign(memory, &aligned, 256, 100));
    say("aligned", (unsigned long)aligned % 256 == 0);
    memtier_free(aligned);
    memtier_delete_memtier_memory(memory);
}

int main(void)
{
    by_ratio(1, 1);
    by_ratio(1, 4);
    by_ratio(3, 1);
    by_threshold();
    properties();
    in_kind("MEMKIND_DEFAULT", MEMKIND_DEFAULT);
    in_kind("MEMKIND_DAX_KMEM", MEMKIND_DAX_KMEM);
    in_memory();
    return EXIT_SUCCESS;
}
