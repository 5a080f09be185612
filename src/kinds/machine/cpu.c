/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see cpu.h. CPUID is an instruction of the CPU: no file is read for it. */
#include "kinds/machine/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "kinds/system/sysfs.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

#define BRAND_LEAF 0x80000002 /* and the two after it: 16 bytes of text each */

static void read_brand(char brand[49])
{
    unsigned words[4];

    for (unsigned i = 0; i < 3; i++) {
        if (!__get_cpuid(BRAND_LEAF + i, &words[0], &words[1], &words[2], &words[3]))
            break;
        memcpy(brand + sizeof words * i, words, sizeof words);
    }
}
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
    read_brand(cpu->brand);
#endif
}

uint64_t cpu_midr(void)
{
    char text[64];
    unsigned long cpu = 0;

    if (sysfs_read(text, sizeof text, "devices/system/cpu/online") > 0)
        cpu = strtoul(text, NULL, 10);
    if (sysfs_read(text, sizeof text, "devices/system/cpu/cpu%lu/regs/identification/midr_el1",
                   cpu) < 0)
        return 0;
    return strtoull(text, NULL, 16);
}
