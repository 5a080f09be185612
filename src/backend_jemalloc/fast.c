/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fast: the tables that fast.h reads, and the proof that jemalloc is laid out as fast.h has it.
 */
#include "backend_jemalloc/fast.h"

#include "backend_jemalloc/jemalloc_internals.h"

#if RTREE_HEIGHT != 2 || !defined(RTREE_LEAF_COMPACT)
#error "jemalloc's radix tree has other nodes than fast.h reads: see --with-lg-vaddr"
#endif
_Static_assert(JEM_TREE_BITS == LG_VADDR && JEM_TREE_PAGE_BITS == LG_PAGE, "addresses");
_Static_assert(RTREE_NSB / 2 == JEM_TREE_BITS - JEM_TREE_LEAF_BITS, "the root has all leaves");
_Static_assert(sizeof(rtree_node_elm_t) == sizeof(void *), "an element of the root is a pointer");
_Static_assert(sizeof(rtree_leaf_elm_t) == sizeof(uintptr_t), "an element of a leaf is a word");
_Static_assert(RTREE_LEAF_STATE_MASK == JEM_PAGE_STATE && extent_state_active == 0, "page");
_Static_assert(JEM_PAGE_EXTENT == (((uint64_t)1 << LG_VADDR) - EDATA_ALIGNMENT), "page");
_Static_assert(offsetof(edata_t, e_bits) == offsetof(struct jem_extent, bits), "extent");
_Static_assert(offsetof(edata_t, e_addr) == offsetof(struct jem_extent, start), "extent");
_Static_assert(EDATA_BITS_ARENA_MASK == JEM_ARENAS - 1, "extent");
_Static_assert(JEM_FAST_MOST <= SC_LOOKUP_MAXCLASS && JEM_FAST_MOST <= PAGE, "sizes");
_Static_assert(SC_NBINS <= JEM_BINS_MOST, "size classes");

/* --- caches ----------------------------------------------------------------------------------- */

struct jem_thread jem_thread_unseen;

__thread struct jem_thread *jem_thread_now __attribute__((tls_model("initial-exec"))) =
    &jem_thread_unseen;

uint16_t jem_bin_offset[JEM_FAST_MOST / 8];

static void *nothing[1];
#define EMPTY                              \
    {                                      \
        nothing, nothing, nothing, nothing \
    }
struct jem_bins jem_cache_none = {{[0 ... JEM_BINS_MOST - 1] = EMPTY}};

/* --- lookup ----------------------------------------------------------------------------------- */

const _Atomic(uintptr_t) *const _Atomic *const jem_tree =
    (const _Atomic(uintptr_t) *const _Atomic *)arena_emap_global.rtree.root;

uint16_t jem_arena_slot[JEM_ARENAS];
uint32_t jem_class_size[JEM_BINS_MOST];
uint64_t jem_class_inverse[JEM_BINS_MOST];

uint8_t jem_trusted_pages = JEM_PAGE_SLAB;

void jem_fast_start(void)
{
    for (unsigned i = 0; i < JEM_FAST_MOST / 8; i++)
        jem_bin_offset[i] = (uint16_t)(sz_size2index((size_t)(i + 1) * 8) * sizeof(struct jem_bin));
    for (szind_t i = 0; i < SC_NBINS; i++) {
        jem_class_size[i] = (uint32_t)sz_index2size(i);
        jem_class_inverse[i] = round_inverse(jem_class_size[i]);
    }
}
