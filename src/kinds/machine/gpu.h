/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * gpu: nodes whose memory is a GPU's.
 *
 * Coherent GPUs (POWER9 with V100, Grace Hopper) show their memory as NUMA nodes without CPUs. It
 * is fast for the GPU and slow for CPUs, and it belongs to the GPU's programs: nothing that takes
 * "all memory" or "the largest" may mean it. NVIDIA's driver tells its nodes in
 * /proc/driver/nvidia/gpus/ADDRESS/numa_status. Read at every call; any thread; nothing allocates
 * or locks.
 */
#pragma once

#include "kinds/system/nodemask.h"

/* Adds the nodes of GPUs, with memory now or not. */
void gpu_nodes(struct nodemask *nodes);
