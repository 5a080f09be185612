/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memtier: the functions of memkind_memtier.h, which spread allocations over kinds in a ratio.
 *
 * libmemtier.so, which distributions preload below whole programs, is made of them. They stand on
 * the functions of memkind.h alone, builders and memories are blocks of MEMKIND_DEFAULT, so nothing
 * here calls malloc.
 *
 * Threads: any; a builder belongs to one. What a kind holds is one atomic counter, in its entry of
 * the registry: whoever chooses a tier reads those of all tiers. It is not exact under contention
 * and need not be. Thresholds are moved by one thread at a time, and read by all.
 */
#include <memkind_memtier.h>

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/export.h"
#include "frontend/registry.h"

struct tier {
    memkind_t kind;
    unsigned ratio;
    /* Between this tier and the next one. */
    atomic_size_t threshold;
    size_t min, max;
};

struct adjustment {
    unsigned interval; /* allocations between looks at the shares */
    float trigger, degree;
};

struct memtier_builder {
    memtier_policy_t policy;
    struct adjustment adjustment;
    size_t count;
    struct tier *tiers;
};

struct memtier_memory {
    memtier_policy_t policy;
    struct adjustment adjustment;
    atomic_uint allocations; /* since the last look */
    atomic_flag adjusting;
    size_t count;
    struct tier tiers[];
};

/* --- builders --------------------------------------------------------------------------------- */

EXPORT struct memtier_builder *memtier_builder_new(memtier_policy_t policy)
{
    struct memtier_builder *builder;

    if ((unsigned)policy >= MEMTIER_POLICY_MAX_VALUE)
        return NULL;
    builder = memkind_calloc(MEMKIND_DEFAULT, 1, sizeof *builder);
    if (builder) {
        builder->policy = policy;
        builder->adjustment =
            (struct adjustment){.interval = 20, .trigger = 0.02f, .degree = 0.15f};
    }
    return builder;
}

EXPORT void memtier_builder_delete(struct memtier_builder *builder)
{
    if (builder)
        memkind_free(MEMKIND_DEFAULT, builder->tiers);
    memkind_free(MEMKIND_DEFAULT, builder);
}

EXPORT int memtier_builder_add_tier(struct memtier_builder *builder, memkind_t kind,
                                    unsigned kind_ratio)
{
    size_t count = builder ? builder->count : 0;
    struct tier *tiers;

    if (!builder || !kind || !kind_ratio)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (builder->tiers[i].kind == kind)
            return -1;
    tiers = memkind_malloc(MEMKIND_DEFAULT, (count + 1) * sizeof *tiers);
    if (!tiers)
        return -1;
    if (count)
        memcpy(tiers, builder->tiers, count * sizeof *tiers);
    tiers[count] = (struct tier){.kind = kind,
                                 .ratio = kind_ratio,
                                 .threshold = 1024 * (count + 1),
                                 .min = 513 + 1024 * count,
                                 .max = 1536 + 1024 * count};
    memkind_free(MEMKIND_DEFAULT, builder->tiers);
    builder->tiers = tiers;
    builder->count++;
    return 0;
}

/* Of a threshold that two tiers have between them. */
static int set_threshold(struct memtier_builder *builder, const char *name, const void *value)
{
    struct tier *tier;
    unsigned long number;
    char *end;

    /* Digits alone: scanf(3) and strtoul(3) take signs and blanks, too. */
    if (name[0] != '[' || name[1] < '0' || name[1] > '9')
        return -1;
    number = strtoul(name + 1, &end, 10);
    if (strncmp(end, "].", 2) != 0 || number >= builder->count || number + 1 == builder->count)
        return -1;
    tier = &builder->tiers[number];
    name = end + 2;
    if (strcmp(name, "val") == 0)
        atomic_init(&tier->threshold, *(const size_t *)value);
    else if (strcmp(name, "min") == 0)
        tier->min = *(const size_t *)value;
    else if (strcmp(name, "max") == 0)
        tier->max = *(const size_t *)value;
    else
        return -1;
    return 0;
}

EXPORT int memtier_ctl_set(struct memtier_builder *builder, const char *name, const void *val)
{
    static const char prefix[] = "policy.dynamic_threshold.", thresholds[] = "thresholds";

    if (!builder || builder->policy != MEMTIER_POLICY_DYNAMIC_THRESHOLD || !name || !val ||
        strncmp(name, prefix, sizeof prefix - 1) != 0)
        return -1;
    name += sizeof prefix - 1;
    if (strncmp(name, thresholds, sizeof thresholds - 1) == 0)
        return set_threshold(builder, name + sizeof thresholds - 1, val);
    if (strcmp(name, "check_cnt") == 0)
        builder->adjustment.interval = *(const unsigned *)val;
    else if (strcmp(name, "trigger") == 0)
        builder->adjustment.trigger = *(const float *)val;
    else if (strcmp(name, "degree") == 0)
        builder->adjustment.degree = *(const float *)val;
    else
        return -1;
    return 0;
}

/* --- memories --------------------------------------------------------------------------------- */

static bool is_sound(const struct memtier_builder *builder)
{
    const struct adjustment *adjustment = &builder->adjustment;
    const struct tier *tier = builder->tiers;

    if (builder->policy == MEMTIER_POLICY_STATIC_RATIO)
        return builder->count > 0;
    if (builder->count < 2 || !adjustment->interval || !(adjustment->trigger >= 0) ||
        !(adjustment->degree >= 0) || isinf(adjustment->trigger) || isinf(adjustment->degree))
        return false;
    for (size_t i = 0; i + 1 < builder->count; i++, tier++)
        if (tier->min > tier->threshold || tier->threshold > tier->max ||
            (i > 0 && tier[-1].max >= tier->min))
            return false;
    return true;
}

EXPORT struct memtier_memory *
memtier_builder_construct_memtier_memory(struct memtier_builder *builder)
{
    struct memtier_memory *memory;
    size_t size;

    if (!builder || !is_sound(builder))
        return NULL;
    size = builder->count * sizeof *memory->tiers;
    memory = memkind_calloc(MEMKIND_DEFAULT, 1, sizeof *memory + size);
    if (!memory)
        return NULL;
    memory->policy = builder->policy;
    memory->adjustment = builder->adjustment;
    memory->count = builder->count;
    memcpy(memory->tiers, builder->tiers, size);
    return memory;
}

EXPORT void memtier_delete_memtier_memory(struct memtier_memory *memory)
{
    memkind_free(MEMKIND_DEFAULT, memory);
}

/* --- counting --------------------------------------------------------------------------------- */

/* A block that came (1) or goes (-1), of the kind that it is of: callers may name none, or a wrong
 * one. */
static void count(void *block, ssize_t sign)
{
    memkind_t kind = memkind_detect_kind(block);
    ssize_t size = (ssize_t)memkind_malloc_usable_size(kind, block);

    if (kind)
        atomic_fetch_add_explicit(&kind->tiered, sign * size, memory_order_relaxed);
}

EXPORT size_t memtier_kind_allocated_size(memkind_t kind)
{
    ssize_t size =
        registry_row(kind) ? atomic_load_explicit(&kind->tiered, memory_order_relaxed) : 0;

    /* Whoever frees here what was allocated elsewhere takes away what was never counted. */
    return size > 0 ? (size_t)size : 0;
}

/* --- choosing --------------------------------------------------------------------------------- */

static memkind_t furthest_below(const struct memtier_memory *memory)
{
    const struct tier *best = memory->tiers;
    double best_part = (double)memtier_kind_allocated_size(best->kind) / best->ratio;

    for (size_t i = 1; i < memory->count; i++) {
        const struct tier *tier = &memory->tiers[i];
        double part = (double)memtier_kind_allocated_size(tier->kind) / tier->ratio;

        if (part < best_part) {
            best = tier;
            best_part = part;
        }
    }
    return best->kind;
}

/* Too much behind a threshold: it goes up, and more comes before it. */
static void move_threshold(struct tier *tier, const struct adjustment *adjustment)
{
    double before = (double)memtier_kind_allocated_size(tier[0].kind);
    double behind = (double)memtier_kind_allocated_size(tier[1].kind);
    double wanted = (double)tier[1].ratio / tier[0].ratio;
    double excess = before > 0 ? behind / before - wanted : behind;
    double threshold = (double)tier->threshold;

    if (fabs(excess) < adjustment->trigger)
        return;
    threshold *= excess > 0 ? 1.0 + adjustment->degree : 1.0 - adjustment->degree;
    if (threshold <= (double)tier->min)
        atomic_store_explicit(&tier->threshold, tier->min, memory_order_relaxed);
    else if (threshold >= (double)tier->max)
        atomic_store_explicit(&tier->threshold, tier->max, memory_order_relaxed);
    else
        atomic_store_explicit(&tier->threshold, (size_t)threshold, memory_order_relaxed);
}

static memkind_t by_size(struct memtier_memory *memory, size_t size)
{
    unsigned before = atomic_fetch_add_explicit(&memory->allocations, 1, memory_order_relaxed) + 1;
    size_t i = 0;

    if (before >= memory->adjustment.interval && !atomic_flag_test_and_set(&memory->adjusting)) {
        for (; i + 1 < memory->count; i++)
            move_threshold(&memory->tiers[i], &memory->adjustment);
        atomic_store_explicit(&memory->allocations, 0, memory_order_relaxed);
        atomic_flag_clear(&memory->adjusting);
        i = 0;
    }
    while (i + 1 < memory->count &&
           size >= atomic_load_explicit(&memory->tiers[i].threshold, memory_order_relaxed))
        i++;
    return memory->tiers[i].kind;
}

static memkind_t choose(struct memtier_memory *memory, size_t size)
{
    if (memory->count == 1)
        return memory->tiers[0].kind;
    return memory->policy == MEMTIER_POLICY_STATIC_RATIO ? furthest_below(memory)
                                                         : by_size(memory, size);
}

/* --- blocks ----------------------------------------------------------------------------------- */

EXPORT void *memtier_kind_malloc(memkind_t kind, size_t size)
{
    void *block = memkind_malloc(kind, size);

    if (block)
        count(block, 1);
    return block;
}

EXPORT void *memtier_malloc(struct memtier_memory *memory, size_t size)
{
    return memtier_kind_malloc(choose(memory, size), size);
}

EXPORT void *memtier_kind_calloc(memkind_t kind, size_t num, size_t size)
{
    void *block = memkind_calloc(kind, num, size);

    if (block)
        count(block, 1);
    return block;
}

/* A product that overflows is memkind_calloc()'s to refuse. */
EXPORT void *memtier_calloc(struct memtier_memory *memory, size_t num, size_t size)
{
    return memtier_kind_calloc(choose(memory, num * size), num, size);
}

EXPORT int memtier_kind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size)
{
    int error = memkind_posix_memalign(kind, memptr, alignment, size);

    if (!error && *memptr)
        count(*memptr, 1);
    return error;
}

EXPORT int memtier_posix_memalign(struct memtier_memory *memory, void **memptr, size_t alignment,
                                  size_t size)
{
    return memtier_kind_posix_memalign(choose(memory, size), memptr, alignment, size);
}

EXPORT void memtier_kind_free(memkind_t kind, void *ptr)
{
    if (!ptr)
        return;
    count(ptr, -1);
    memkind_free(kind, ptr);
}

EXPORT void *memtier_kind_realloc(memkind_t kind, void *ptr, size_t size)
{
    void *block;

    if (!ptr)
        return memtier_kind_malloc(kind, size);
    if (!size) {
        memtier_kind_free(kind, ptr);
        return NULL;
    }
    count(ptr, -1);
    block = memkind_realloc(kind, ptr, size);
    count(block ? block : ptr, 1);
    return block;
}

EXPORT void *memtier_realloc(struct memtier_memory *memory, void *ptr, size_t size)
{
    return ptr ? memtier_kind_realloc(memkind_detect_kind(ptr), ptr, size)
               : memtier_malloc(memory, size);
}

EXPORT size_t memtier_usable_size(void *ptr)
{
    return memkind_malloc_usable_size(NULL, ptr);
}
