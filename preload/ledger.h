/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * ledger: which rule a block is of, so that the rule has its bytes back when the block goes.
 *
 * A table by address: two bytes for every 16 of memory, of which pages exist where blocks that are
 * in it begin. Nothing is searched, and nothing is locked.
 *
 * Threads: any; those that put and take the same block are the program's to keep apart, as with
 * free() itself.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_UNIT_SHIFT 4   /* blocks are aligned to 16 */
#define LEDGER_PIECE_SHIFT 26 /* a piece of the table is for 64 MiB of addresses */
#define LEDGER_BITS 48        /* of addresses */
#define LEDGER_UNITS ((size_t)1 << (LEDGER_PIECE_SHIFT - LEDGER_UNIT_SHIFT))

typedef _Atomic(uint16_t) ledger_entry; /* one more than the number; 0: not in the table */

/* By address, made when needed. */
extern _Atomic(ledger_entry *) *ledger_pieces __attribute__((visibility("hidden")));

/* False: there is no memory. One thread, before all else. */
bool ledger_begin(void);

/* The piece for this address. NULL: there is no memory for it, or the address is beyond what a
 * table can hold. */
ledger_entry *ledger_make_piece(uintptr_t address);

/* NULL: it is not made yet. */
static inline ledger_entry *ledger_piece(uintptr_t address)
{
    return address >> LEDGER_BITS
               ? NULL
               : atomic_load_explicit(&ledger_pieces[address >> LEDGER_PIECE_SHIFT],
                                      memory_order_acquire);
}

static inline ledger_entry *ledger_find(ledger_entry *piece, uintptr_t address)
{
    return &piece[(address >> LEDGER_UNIT_SHIFT) % LEDGER_UNITS];
}

/* False: as for ledger_make_piece(). */
static inline bool ledger_put(const void *block, size_t number)
{
    uintptr_t address = (uintptr_t)block;
    ledger_entry *piece = ledger_piece(address);

    if (!piece)
        piece = ledger_make_piece(address);
    if (!piece)
        return false;
    atomic_store_explicit(ledger_find(piece, address), (uint16_t)(number + 1),
                          memory_order_relaxed);
    return true;
}

/* False: the block is not in it. */
static inline bool ledger_take(const void *block, size_t *number)
{
    uintptr_t address = (uintptr_t)block;
    ledger_entry *piece = ledger_piece(address), *entry;
    uint16_t there;

    if (!piece)
        return false;
    entry = ledger_find(piece, address);
    there = atomic_load_explicit(entry, memory_order_relaxed);
    if (!there)
        return false;
    atomic_store_explicit(entry, 0, memory_order_relaxed);
    *number = (size_t)there - 1;
    return true;
}
