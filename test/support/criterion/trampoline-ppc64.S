/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * What BoxFort, with which Criterion starts each test as a process, writes over that process's main(): a jump to its own
 * function, whose address comes behind it. Put into its sources by scripts/criterion, since it knows no POWER. For
 * ELFv2: the function expects its address in r12, and may change r0, r11 and r12 but for that.
 */
#include "config.h"
#include "mangling.h"

.hidden MANGLE(bxfi_trampoline)
.globl MANGLE(bxfi_trampoline)
.align 3
MANGLE(bxfi_trampoline):
    mflr    0
    bcl     20, 31, here
here:
    mflr    11
    mtlr    0
    ld      12, address - here(11)
    mtctr   12
    bctr

.align 3
.hidden MANGLE(bxfi_trampoline_addr)
.globl MANGLE(bxfi_trampoline_addr)
MANGLE(bxfi_trampoline_addr):
address:
.fill 8, 1, 0

.hidden MANGLE(bxfi_trampoline_end)
.globl MANGLE(bxfi_trampoline_end)
MANGLE(bxfi_trampoline_end):

#include "stackfix.h"
