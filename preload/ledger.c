/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see ledger.h. */
#include "ledger.h"

#include <sys/mman.h>

#define PIECES ((size_t)1 << (LEDGER_BITS - LEDGER_PIECE_SHIFT))

_Atomic(ledger_entry *) *ledger_pieces;

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

bool ledger_begin(void)
{
    ledger_pieces = map(PIECES * sizeof *ledger_pieces);
    return ledger_pieces != NULL;
}

ledger_entry *ledger_make_piece(uintptr_t address)
{
    size_t size = LEDGER_UNITS * sizeof(ledger_entry);
    ledger_entry *there = NULL, *made = address >> LEDGER_BITS ? NULL : map(size);

    if (!made)
        return NULL;
    if (atomic_compare_exchange_strong(&ledger_pieces[address >> LEDGER_PIECE_SHIFT], &there, made))
        return made;
    munmap(made, size); /* another thread was faster */
    return there;
}
