/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * blocks: many blocks of random sizes, with content, in a kind that they fill to its last page.
 *
 * For the test's own process, where the test fails when something is wrong. One thread at a time
 * for each struct.
 */
#pragma once

#include "support.h"

struct blocks {
    memkind_t kind;
    size_t least, most; /* sizes */
    size_t count, bytes;
    uint64_t seed;
    void **block;
    size_t *size;
};

/* None yet; of sizes from `least` to `most`. Its tables end with the test. */
struct blocks blocks_of(memkind_t kind, size_t least, size_t most);

/* One more; false: it is refused. */
bool blocks_add(struct blocks *blocks);

/* Allocates until a block is refused, with ENOMEM. */
void blocks_fill(struct blocks *blocks);

/* Frees so many at random, whose content must be there. */
void blocks_drop_some(struct blocks *blocks, size_t count);

/* What the calling thread gets in blocks of `mine` bytes, in per cent, of what another has freed:
 * of its blocks of `theirs` bytes, each (`step` 1) or every other one. */
size_t blocks_share(memkind_t kind, size_t theirs, size_t step, size_t mine);

/* calloc gives zeroes, also where others have written. */
void blocks_use_dirty(memkind_t kind);

#define EXPECT_FULL(BLOCKS, SIZE, PERCENT, WHEN)                                                 \
    cr_assert_geq((BLOCKS).bytes * 100, (SIZE) * (PERCENT), "%s: %zu of %zu MiB, %.1f %%", WHEN, \
                  (BLOCKS).bytes / MIB, (SIZE) / MIB, 100.0 * (double)(BLOCKS).bytes / (SIZE))
