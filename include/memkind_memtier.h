/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind_memtier.h
 * @brief One heap over several kinds, in a given ratio.
 */

/**
 * @defgroup memtier Several kinds in a ratio: memkind_memtier.h
 * @brief One heap over several kinds, each with its share.
 *
 * Tiers are kinds with weights: of what is allocated from a memory of tiers,
 * each kind holds the share that its weight is of all weights. Words and
 * general rules are those of memkind.h.
 *
 * @code{.c}
 * #include <memkind_memtier.h>
 * int main(void)
 * {
 *     struct memtier_builder *builder = memtier_builder_new(MEMTIER_POLICY_STATIC_RATIO);
 *     struct memtier_memory *memory;
 *     void *block;
 *
 *     memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 1);
 *     memtier_builder_add_tier(builder, MEMKIND_HBW_PREFERRED, 3);
 *     memory = memtier_builder_construct_memtier_memory(builder);
 *     memtier_builder_delete(builder);
 *     block = memtier_malloc(memory, 1000);
 *     memtier_free(block);
 *     memtier_delete_memtier_memory(memory);
 *     return 0;
 * }
 * @endcode
 *
 * A block is one of its kind: memkind_detect_kind() and memkind_free() know it,
 * too. But only what the functions of this header allocate and free is counted,
 * so do not mix them. Counting makes threads share a line of memory for each
 * kind: where the ratio does not matter, use the functions of memkind.h.
 *
 * @par Threads
 * All functions of this group are thread-safe, except that a builder is used by one
 * thread at a time, and a memory is deleted when nobody allocates from it any more.
 * Its blocks stay.
 */

#pragma once

#include <memkind.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @addtogroup memtier
 * @{
 */

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

/**
 * @name Making a memory
 * @{
 */

/**
 * Starts to describe a memory.
 *
 * @param policy  how an allocation finds its tier.
 *
 * @return A builder, for memtier_builder_delete(). NULL: the policy is unknown, or
 *   there is no memory.
 */
struct memtier_builder *memtier_builder_new(memtier_policy_t policy);

/**
 * Deletes a builder. Memories that were made with it stay. It cannot fail.
 *
 * @param builder  from memtier_builder_new(), or NULL for nothing to happen.
 */
void memtier_builder_delete(struct memtier_builder *builder);

/**
 * Adds a tier after those that are there.
 *
 * @param builder     from memtier_builder_new(); not NULL.
 * @param kind        the kind, which is not a tier of the builder yet; not NULL.
 * @param kind_ratio  the weight of the tier, not 0.
 *
 * @return 0. -1: an argument is NULL or 0, the kind is there already, or there is
 *   no memory.
 */
int memtier_builder_add_tier(struct memtier_builder *builder, memkind_t kind, unsigned kind_ratio);

/**
 * Sets a property of #MEMTIER_POLICY_DYNAMIC_THRESHOLD. All names begin with
 * `policy.dynamic_threshold.`; that beginning is left out here:
 *
 * | Name              | Type     | If not set        | Meaning                               |
 * | ----------------- | -------- | ----------------- | ------------------------------------- |
 * | thresholds[N].val | size_t   | 1024 * (N + 1)    | threshold between tiers N and N + 1   |
 * | thresholds[N].min | size_t   | 513 + 1024 * N    | how far down it may move, in bytes    |
 * | thresholds[N].max | size_t   | 1536 + 1024 * N   | how far up it may move, in bytes      |
 * | check_cnt         | unsigned | 20                | allocations from one look to the next |
 * | trigger           | float    | 0.02              | how far off shares may be, see below  |
 * | degree            | float    | 0.15              | by which part of itself it moves      |
 *
 * A threshold is a size in bytes. Both its tiers are to be added before it is set.
 * It moves when the ratio of what its two tiers hold differs by the trigger or more
 * from what it should be; the shares are looked at every check_cnt allocations.
 *
 * @param builder  from memtier_builder_new(); not NULL.
 * @param name     the name of the property.
 * @param val      points to a value of the property's type.
 *
 * @return 0. -1: there is no such property or threshold, the builder has another
 *   policy, or an argument is NULL.
 */
int memtier_ctl_set(struct memtier_builder *builder, const char *name, const void *val);

/**
 * Makes a memory of what was described.
 *
 * @param builder  from memtier_builder_new(). It is not needed after the call.
 *
 * @return A memory, for memtier_delete_memtier_memory(). NULL: there are too few
 *   tiers, min <= val <= max does not hold, thresholds overlap, check_cnt is 0,
 *   trigger or degree is not a number from 0 on, the builder is NULL, or there is
 *   no memory.
 */
struct memtier_memory *memtier_builder_construct_memtier_memory(struct memtier_builder *builder);

/**
 * Deletes a memory. Its blocks stay. It cannot fail.
 *
 * @param memory  from memtier_builder_construct_memtier_memory(), or NULL for
 *                nothing to happen.
 */
void memtier_delete_memtier_memory(struct memtier_memory *memory);

/** @} */

/**
 * @name Blocks of a memory, and blocks of a kind
 *
 * These are as the functions of memkind.h with the same end of the name, for a kind
 * or for the kind of a tier of the memory.
 *
 * @{
 */

/**
 * Allocates a block, as memkind_malloc() does, in a tier that the policy chooses.
 *
 * @param memory  the tiers; not NULL.
 * @param size    in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: there is no memory, the size is too large, or the kind of the
 *     tier is not available.
 */
void *memtier_malloc(struct memtier_memory *memory, size_t size);

/**
 * Allocates a block of a kind, as memkind_malloc() does.
 *
 * @param kind  where the block comes from; not NULL.
 * @param size  in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: there is no memory, the size is too large, or the kind is not
 *     available.
 *   - errno EINVAL: kind is NULL.
 */
void *memtier_kind_malloc(memkind_t kind, size_t size);

/**
 * Allocates a block for an array, as memkind_calloc() does, in a tier that the
 * policy chooses, and sets all its bytes to zero.
 *
 * @param memory  the tiers; not NULL.
 * @param num     number of elements.
 * @param size    size of an element in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: num or size is 0.
 *   - errno ENOMEM: there is no memory, num * size is too large or not
 *     representable, or the kind of the tier is not available.
 */
void *memtier_calloc(struct memtier_memory *memory, size_t num, size_t size);

/**
 * Allocates a block of a kind for an array, as memkind_calloc() does, and sets all
 * its bytes to zero.
 *
 * @param kind  where the block comes from; not NULL.
 * @param num   number of elements.
 * @param size  size of an element in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: num or size is 0.
 *   - errno ENOMEM: there is no memory, num * size is too large or not
 *     representable, or the kind is not available.
 *   - errno EINVAL: kind is NULL.
 */
void *memtier_kind_calloc(memkind_t kind, size_t num, size_t size);

/**
 * Allocates a block at a multiple of an alignment, as memkind_posix_memalign()
 * does, in a tier that the policy chooses.
 *
 * @param memory     the tiers; not NULL.
 * @param memptr     where the address of the block is stored. On error, *memptr is
 *                   left alone.
 * @param alignment  in bytes: a power of two, not less than `sizeof(void *)`.
 * @param size       in bytes. 0 stores NULL and returns 0.
 *
 * @return An errno value; errno itself is never changed:
 *   - 0: *memptr is the block.
 *   - EINVAL: the alignment is wrong.
 *   - ENOMEM: there is no memory, the size or the alignment is too large, or the
 *     kind of the tier is not available.
 */
int memtier_posix_memalign(struct memtier_memory *memory, void **memptr, size_t alignment,
                           size_t size);

/**
 * Allocates a block of a kind at a multiple of an alignment, as
 * memkind_posix_memalign() does.
 *
 * @param kind       where the block comes from; not NULL.
 * @param memptr     where the address of the block is stored. On error, *memptr is
 *                   left alone.
 * @param alignment  in bytes: a power of two, not less than `sizeof(void *)`.
 * @param size       in bytes. 0 stores NULL and returns 0.
 *
 * @return An errno value; errno itself is never changed:
 *   - 0: *memptr is the block.
 *   - EINVAL: the alignment is wrong, or kind is NULL.
 *   - ENOMEM: there is no memory, the size or the alignment is too large, or the
 *     kind is not available.
 */
int memtier_kind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size);

/**
 * Changes the size of a block, as memkind_realloc() does. The block stays in its
 * tier.
 *
 * @param memory  the tiers; not NULL if ptr is NULL.
 * @param ptr     a block. NULL: the call is the same as memtier_malloc().
 * @param size    the new size in bytes. 0: the block is freed.
 *
 * @return The block of the new size. Or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: as for memtier_malloc(); ptr stays valid, with its content.
 *   - errno EINVAL: ptr is not of this library, and size is not 0.
 */
void *memtier_realloc(struct memtier_memory *memory, void *ptr, size_t size);

/**
 * Changes the size of a block of a kind, as memkind_realloc() does.
 *
 * @param kind  the kind of ptr; not NULL.
 * @param ptr   a block. NULL: the call is the same as memtier_kind_malloc().
 * @param size  the new size in bytes. 0: the block is freed.
 *
 * @return The block of the new size. Or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: as for memtier_kind_malloc(); ptr stays valid, with its
 *     content.
 *   - errno EINVAL: ptr is not of this library, or kind and ptr are both NULL;
 *     and size is not 0.
 */
void *memtier_kind_realloc(memkind_t kind, void *ptr, size_t size);

/**
 * Tells the number of bytes that can be used in a block, as
 * memkind_malloc_usable_size() does.
 *
 * @param ptr  a block, or NULL.
 *
 * @return The number of bytes; 0 if ptr is NULL or not of this library. errno is
 *   not set.
 */
size_t memtier_usable_size(void *ptr);

/**
 * Frees a block, as memkind_free() does. It cannot fail.
 *
 * @param kind  the kind of ptr, or NULL to have it found from ptr.
 * @param ptr   a block, or NULL for nothing to happen.
 */
void memtier_kind_free(memkind_t kind, void *ptr);

/**
 * Frees a block of whatever tier. It cannot fail.
 *
 * @param ptr  a block, or NULL for nothing to happen.
 */
static inline void memtier_free(void *ptr)
{
    memtier_kind_free(NULL, ptr);
}

/**
 * Tells how much of a kind is in blocks of this header's functions, by their usable
 * sizes.
 *
 * @param kind  any kind.
 *
 * @return The number of bytes; 0 if kind is NULL.
 */
size_t memtier_kind_allocated_size(memkind_t kind);

/** @} */

/** @} */

#ifdef __cplusplus
}
#endif
