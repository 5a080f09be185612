/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see ledger.h. */
#include "ledger.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#define UNIT_SHIFT 4   /* blocks are aligned to 16 */
#define PIECE_SHIFT 26 /* a piece of the table is for 64 MiB of addresses, made when needed */
#define ADDRESS_BITS 48
#define PIECES ((size_t)1 << (ADDRESS_BITS - PIECE_SHIFT))
#define UNITS ((size_t)1 << (PIECE_SHIFT - UNIT_SHIFT))

typedef _Atomic(uint16_t) entry; /* one more than the number; 0: not in the table */

static _Atomic(entry *) *pieces;

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

bool ledger_begin(void)
{
    pieces = map(PIECES * sizeof *pieces);
    return pieces != NULL;
}

static entry *make_piece(_Atomic(entry *) *place)
{
    size_t size = UNITS * sizeof(entry);
    entry *there = NULL, *made = map(size);

    if (!made)
        return NULL;
    if (atomic_compare_exchange_strong(place, &there, made))
        return made;
    munmap(made, size); /* another thread was faster */
    return there;
}

static entry *find(const void *block, bool make)
{
    uintptr_t address = (uintptr_t)block;
    entry *piece;

    if (address >> ADDRESS_BITS)
        return NULL;
    piece = atomic_load_explicit(&pieces[address >> PIECE_SHIFT], memory_order_acquire);
    if (!piece && make)
        piece = make_piece(&pieces[address >> PIECE_SHIFT]);
    return piece ? &piece[(address >> UNIT_SHIFT) % UNITS] : NULL;
}

bool ledger_put(const void *block, size_t number)
{
    entry *entry = find(block, true);

    if (!entry)
        return false;
    atomic_store_explicit(entry, (uint16_t)(number + 1), memory_order_relaxed);
    return true;
}

bool ledger_take(const void *block, size_t *number)
{
    entry *entry = find(block, false);
    uint16_t there = entry ? atomic_load_explicit(entry, memory_order_relaxed) : 0;

    if (!there)
        return false;
    atomic_store_explicit(entry, 0, memory_order_relaxed);
    *number = (size_t)there - 1;
    return true;
}
