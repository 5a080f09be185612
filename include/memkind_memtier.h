/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * memkind_memtier.h - one heap over several kinds, in a given ratio
 * =================================================================
 *
 * Tiers are kinds with weights: of what is allocated from a memory of tiers,
 * each kind holds the share that its weight is of all weights. Words and
 * general rules are those of memkind.h.
 *
 *     #include <memkind_memtier.h>
 *     int main(void)
 *     {
 *         struct memtier_builder *builder = memtier_builder_new(MEMTIER_POLICY_STATIC_RATIO);
 *         struct memtier_memory *memory;
 *         void *block;
 *
 *         memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 1);
 *         memtier_builder_add_tier(builder, MEMKIND_HBW_PREFERRED, 3);
 *         memory = memtier_builder_construct_memtier_memory(builder);
 *         memtier_builder_delete(builder);
 *         block = memtier_malloc(memory, 1000);
 *         memtier_free(block);
 *         memtier_delete_memtier_memory(memory);
 *         return 0;
 *     }
 *
 * A block is one of its kind: memkind_detect_kind() and memkind_free() know it,
 * too. But only what the functions of this header allocate and free is counted,
 * so do not mix them. Counting makes threads share a line of memory for each
 * kind: where the ratio does not matter, use the functions of memkind.h.
 *
 * All functions are thread-safe, except that a builder is used by one thread at
 * a time, and a memory is deleted when nobody allocates from it any more. Its
 * blocks stay.
 */

#pragma once

#include <memkind.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memtier_builder;
struct memtier_memory;

/** How an allocation finds its tier. */
typedef enum memtier_policy_t {
    /**
     * The tier that is furthest below its share; of equal ones, the first.
     */
    MEMTIER_POLICY_STATIC_RATIO = 0,

    /**
     * By size: below a threshold the first tier, from there on the second,
     * from the next threshold on the third. Thresholds move so that the shares
     * become what they should be: see memtier_ctl_set(). Two tiers or more.
     */
    MEMTIER_POLICY_DYNAMIC_THRESHOLD = 1,

    /** Number of policies. */
    MEMTIER_POLICY_MAX_VALUE
} memtier_policy_t;

/* --- making a memory ------------------------------------------------------ */

/**
 * Start to describe a memory.
 *
 * Returns  a builder, for memtier_builder_delete(); NULL: unknown policy, or no
 *          memory.
 */
struct memtier_builder *memtier_builder_new(memtier_policy_t policy);

/** Delete a builder. Memories that were made with it stay. NULL: nothing. */
void memtier_builder_delete(struct memtier_builder *builder);

/**
 * Add a tier after those that are there.
 *
 * Returns  0; -1: kind is NULL or there already, the ratio is 0, or no memory.
 */
int memtier_builder_add_tier(struct memtier_builder *builder, memkind_t kind, unsigned kind_ratio);

/**
 * Set a property of MEMTIER_POLICY_DYNAMIC_THRESHOLD. Names begin with
 * "policy.dynamic_threshold."; val points to a value of the type given.
 *
 *   thresholds[N].val  size_t    threshold between tier N and N + 1, both added
 *                                before; 1024 * (N + 1) if not set
 *   thresholds[N].min  size_t    how far down it may move; 513 + 1024 * N
 *   thresholds[N].max  size_t    how far up; 1536 + 1024 * N
 *   check_cnt          unsigned  allocations from one look at the shares to the
 *                                next; 20
 *   trigger            float     a threshold moves when the ratio of what its
 *                                two tiers hold differs by this much or more
 *                                from what it should be; 0.02
 *   degree             float     it moves by this part of itself; 0.15
 *
 * Returns  0; -1: no such property, no such threshold, another policy.
 */
int memtier_ctl_set(struct memtier_builder *builder, const char *name, const void *val);

/**
 * Make a memory of what was described.
 *
 * Returns  a memory, for memtier_delete_memtier_memory(); NULL: too few tiers,
 *          min <= val <= max does not hold, thresholds overlap, check_cnt is 0,
 *          trigger or degree is not a number from 0 on, or no memory.
 */
struct memtier_memory *memtier_builder_construct_memtier_memory(struct memtier_builder *builder);

/** Delete a memory. Its blocks stay. NULL: nothing. */
void memtier_delete_memtier_memory(struct memtier_memory *memory);

/* --- blocks --------------------------------------------------------------- */

/*
 * As the functions of memkind.h with the same end of the name, for a kind or
 * for the kind of a tier of the memory.
 */

void *memtier_malloc(struct memtier_memory *memory, size_t size);
void *memtier_kind_malloc(memkind_t kind, size_t size);
void *memtier_calloc(struct memtier_memory *memory, size_t num, size_t size);
void *memtier_kind_calloc(memkind_t kind, size_t num, size_t size);
int memtier_posix_memalign(struct memtier_memory *memory, void **memptr, size_t alignment,
                           size_t size);
int memtier_kind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size);

/** A block stays in its tier; ptr NULL: memtier_malloc(). */
void *memtier_realloc(struct memtier_memory *memory, void *ptr, size_t size);

/** ptr NULL: memtier_kind_malloc(). */
void *memtier_kind_realloc(memkind_t kind, void *ptr, size_t size);

size_t memtier_usable_size(void *ptr);

/** kind NULL: whatever kind the block is of. */
void memtier_kind_free(memkind_t kind, void *ptr);

static inline void memtier_free(void *ptr)
{
    memtier_kind_free(NULL, ptr);
}

/** Bytes of kind in blocks of this header's functions, as their usable sizes. */
size_t memtier_kind_allocated_size(memkind_t kind);

#ifdef __cplusplus
}
#endif
