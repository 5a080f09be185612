/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see cpu.h. CPUID is an instruction of the CPU: no file is read for it. */
#include "kinds/machine/cpu.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

void cpu_identify(struct cpu_model *cpu)
{
    memset(cpu, 0, sizeof *cpu);
#if defined(__x86_64__) || defined(__i386__)
    unsigned most, signature, words[3], rest;

    if (!__get_cpuid(0, &most, &words[0], &words[2], &words[1]))
        return;
    memcpy(cpu->vendor, words, sizeof words);
    if (!__get_cpuid(1, &signature, &words[0], &words[1], &rest))
        return;
    cpu->family = signature >> 8 & 0xf;
    cpu->model = signature >> 4 & 0xf;
    if (cpu->family == 6 || cpu->family == 15)
        cpu->model |= signature >> 12 & 0xf0;
    if (cpu->family == 15)
        cpu->family += signature >> 20 & 0xff;
#endif
}
