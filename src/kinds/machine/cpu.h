/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cpu: who made the CPU, and which one it is.
 *
 * One sort of high-bandwidth memory is older than the tables in which firmware tells of it: the
 * MCDRAM of Knights Landing and Knights Mill. There, the CPU model is what tells it. Any thread.
 */
#pragma once

struct cpu_model {
    char vendor[13]; /* "GenuineIntel"; "" where the CPU does not say */
    unsigned family, model;
};

void cpu_identify(struct cpu_model *cpu);
