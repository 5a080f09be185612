/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cpu: which CPU it is, where that tells what its memory is.
 *
 * Some high-bandwidth memory is not in the tables in which firmware tells of it (Knights Landing is
 * older than these), or is all there is, so that nothing is there to compare it with. There, the
 * CPU is what tells it. Any thread.
 */
#pragma once

#include <stdint.h>

struct cpu_model {
    char vendor[13]; /* "GenuineIntel"; "" where the CPU does not say */
    char brand[49];  /* "Intel(R) Xeon(R) CPU Max 9480"; likewise */
    unsigned family, model;
};

/* What CPUID says; all zero on other CPUs than x86. */
void cpu_identify(struct cpu_model *cpu);

/* Of an Arm CPU, the register MIDR_EL1 as the kernel shows it: that of the lowest-numbered CPU that
 * is online. 0: no such CPU. */
uint64_t cpu_midr(void);
