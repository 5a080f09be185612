/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * report: what the machine has and what the library makes of it, for people and tools.
 *
 * Nothing of the library's own work goes through here: it puts the answers of topology, attributes,
 * dax, tiers, selector and page_kind next to each other, so that a tool prints what the library
 * really decides, and the tests compare just that with what they expect of a machine.
 *
 * Threads: any. Allocates nothing, holds no lock (libdaxctl allocates). Sizes and huge pages are
 * read afresh at every call, everything else is a fact (facts.h): a tool calls facts_begin() and
 * never ends, so that it shows one machine. A program outside the library links the static library
 * and calls one function of it first (memkind_check_available(), say), which lends the page layer
 * the environment and the log.
 */
#pragma once

#include <memkind.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kinds/machine/attributes.h"
#include "kinds/machine/page_kind.h"

/* What a node's memory is. */
enum memory_type {
    MEMORY_NONE,       /* the node has none */
    MEMORY_ORDINARY,   /* on a node with CPUs */
    MEMORY_GPU,        /* a GPU's: only for programs that name the node */
    MEMORY_HBW,        /* high-bandwidth: what the HBW kinds use */
    MEMORY_PERSISTENT, /* an NVDIMM as system RAM */
    MEMORY_CXL,        /* a CXL device as system RAM */
    MEMORY_RESERVED,   /* memory the firmware reserves for a purpose, as system RAM */
    MEMORY_DAX,        /* another DAX device as system RAM, or what MEMKIND_DAX_KMEM_NODES names */
    MEMORY_ONLY,       /* a node without CPUs, and nobody says of what kind */
};

struct node_report {
    unsigned node;
    bool usable;     /* has memory, and this process may use it */
    char cpus[256];  /* its CPUs as the kernel lists them, "" for none; cut where too long */
    uint64_t size;   /* MemTotal, bytes */
    uint64_t unused; /* MemFree, bytes, now */
    unsigned bandwidth, latency;    /* MB/s, ns, as the library compares them; 0: unknown */
    struct node_attributes numbers; /* what they are made of, and their source */
    int tier;                       /* the kernel's memory tier (Linux 6.1); -1: unknown */
    bool hbw, dax;                  /* whether the HBW, the DAX_KMEM kinds use it */
    enum memory_type type;          /* the first that applies: GPU, HBW, a DAX device, CPUs */
    enum info_source source;        /* of the type */
    char device[32];                /* the DAX device it is made of, "" for none */
};

/* False: there is no such node. */
bool report_node(unsigned node, struct node_report *report);

const char *memory_type_name(enum memory_type type);

struct kind_report {
    const char *name;          /* MEMKIND_... */
    int error;                 /* 0, or MEMKIND_ERROR_*: what memkind_check_available() says here */
    char why[NODE_ANSWER_WHY]; /* where the answer comes from, or why it is not available */
    enum info_source source;   /* the same in a word */
    bool local;                /* its nodes depend on the calling CPU */
    const char *policy;        /* "bind", "preferred", "interleave", "process", ... */
    size_t page_size;          /* bytes, that of base pages included */
    ssize_t capacity;          /* bytes, seen from the calling CPU; -1 if not available */
};

/* `kind`: a row, such as page_kind_static[MEMKIND_PARTITION_HBW]. */
void report_kind(const struct page_kind *kind, struct kind_report *report);

/* Where the kind's pages go when a thread on a CPU of node `cpu_node` maps them; for a preferred
 * kind, the nodes it prefers. A kind without nodes of its own: all that the process may use. 0 or
 * MEMKIND_ERROR_*, with the reason in `why`. */
int report_kind_nodes(const struct page_kind *kind, unsigned cpu_node, struct nodemask *nodes,
                      char *why, size_t size);

/* CPUs for which a kind means the same nodes. */
struct kind_cpus {
    struct nodemask cpu_nodes;
    struct nodemask nodes; /* as above */
    int error;
};

/* Nodes with CPUs, in groups for which the kind means the same, ordered by their lowest nodes.
 * Returns how many there are; `groups` has room for one per node with CPUs. */
size_t report_kind_cpus(const struct page_kind *kind, struct kind_cpus groups[NODEMASK_NODES]);
