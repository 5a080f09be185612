/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * attributes: how fast each node's memory is, and from which CPUs that was measured.
 *
 * The kernel publishes the firmware's word (ACPI HMAT; for CXL the device's, Linux 6.8) below
 * nodeN/access1 (numbers for the best CPUs) and nodeN/access0 (for the best initiator, which since
 * Linux 5.10 may be a GPU or a NIC: then the numbers are none of ours). See the kernel's
 * Documentation/admin-guide/mm/numaperf.rst. A number belongs to the pair of the node and its
 * initiators: two nodes compare only as seen from the same CPUs. A number that is beyond all
 * measure better than what CPUs have of their own is in another unit, and as good as none.
 *
 * A fact (facts.h): read when a kind or a tool first needs it. Threads: any; nothing locks or
 * allocates.
 */
#pragma once

#include <stdbool.h>

#include "kinds/machine/info_source.h"
#include "kinds/machine/topology.h"
#include "kinds/system/nodemask.h"

struct node_attributes {
    /* Nodes with CPUs that this memory is nearest to, or that are nearest to it. Never empty on a
     * machine with CPUs: what the firmware does not list comes from the distances. Where the
     * firmware's list leaves out a node that is strictly nearer, or a memory-only node's has others
     * beside it, the nearer one is believed: kernels name the wrong nodes for CXL memory. */
    struct nodemask initiators;
    bool listed; /* the firmware lists them */
    enum info_source
        source; /* of the numbers: INFO_SOURCE_ACCESS1, INFO_SOURCE_ACCESS0 or INFO_SOURCE_NONE */
    unsigned read_bandwidth;  /* MB/s, as sysfs has them; 0: unknown */
    unsigned write_bandwidth; /* MB/s */
    unsigned read_latency;    /* ns */
    unsigned write_latency;   /* ns */
};

struct attributes {
    bool bandwidth; /* some node has a bandwidth */
    bool latency;   /* some node has a latency */
    struct node_attributes of[NODEMASK_NODES];
};

/* The running machine. Never NULL. */
const struct attributes *attributes_get(void);

/* One number for reading and writing: the mean, or the one there is; 0: unknown. */
unsigned attributes_bandwidth(const struct node_attributes *node);
unsigned attributes_latency(const struct node_attributes *node);
