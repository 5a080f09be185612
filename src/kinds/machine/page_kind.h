/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * page_kind: the declarative table of what each kind's pages are.
 *
 * A kind is a row: name, node selector, memory policy, page size. The static kinds of memkind.h are
 * the rows of one table, indexed by the ABI's MEMKIND_PARTITION_* numbers; what
 * memkind_create_kind() accepts is a table of these numbers. A new static kind is one row here, and
 * what docs/extending.md lists.
 *
 * All of this is constant; any thread.
 */
#pragma once

#include <memkind.h>
#include <stdbool.h>
#include <stddef.h>

#include "kinds/machine/selector.h"
#include "kinds/system/os.h"

enum page_policy {
    PAGE_POLICY_PROCESS,    /* leave it to the process: no mbind */
    PAGE_POLICY_BIND,       /* these nodes or nothing */
    PAGE_POLICY_PREFERRED,  /* these nodes first, then any */
    PAGE_POLICY_INTERLEAVE, /* page by page over these nodes */
    PAGE_POLICY_WEIGHTED,   /* the same, by the nodes' weights */
};

struct page_source;

struct page_kind {
    const char *name; /* as in memkind.h, or what sort of created kind it is */
    enum node_selector selector;
    enum page_policy policy;
    size_t page_size;             /* 0: base pages, else 2 MiB or 1 GiB from the hugetlb pools */
    const struct nodemask *given; /* SELECT_GIVEN*: the nodes */
};

/* A page size in words. */
#define PAGE_SIZE_2M ((size_t)2 << 20)
#define PAGE_SIZE_1G ((size_t)1 << 30)

extern const struct page_kind page_kind_static[MEMKIND_NUM_BASE_KIND];

/* MEMKIND_PARTITION_* of the static kind that memkind_create_kind() means, or -1: no such
 * combination. */
int page_kind_created(memkind_memtype_t memtype, memkind_policy_t policy, memkind_bits_t flags);

/* The row that memkind_create_nodes() means, without its nodes, or NULL: no such combination. */
const struct page_kind *page_kind_of_nodes(memkind_policy_t policy, memkind_bits_t flags);

/* Rows of kinds whose pages are somebody else's business. */
extern const struct page_kind page_kind_file, page_kind_fixed, page_kind_custom;

/* Where pages of the kind go when a thread on `cpu_node` maps them: nodes of the answer and the
 * kernel's policy. Returns the answer's error. */
int page_kind_policy(const struct page_kind *kind, unsigned cpu_node, struct node_answer *answer,
                     struct os_policy *policy);

/* mbind(2) with the fallbacks for older kernels, and for seccomp(2) filters that know no newer
 * modes: for MPOL_PREFERRED_MANY (before Linux 5.15) the lowest-numbered node, for
 * MPOL_WEIGHTED_INTERLEAVE (before 6.9) MPOL_INTERLEAVE. Where a container forbids mbind, a
 * preference is no policy, said in the log; for the others that is EPERM. 0 or an errno. */
int page_kind_bind(void *address, size_t size, const struct os_policy *policy);

/* Whether consecutive pages go to different nodes. */
bool page_kind_interleaves(const struct os_policy *policy);

/* 0, or the MEMKIND_ERROR_* why the kind cannot be used on this machine now, in words in `why`. */
int page_kind_check(const struct page_kind *kind, char *why, size_t size);

/* Bytes on the nodes the kind may take from, seen from the calling CPU; -1 if unavailable. */
ssize_t page_kind_capacity(const struct page_kind *kind);

/* Number of locality domains: 1, or one per node with CPUs where the nearest nodes differ. */
unsigned page_kind_domains(const struct page_kind *kind);

const char *page_kind_policy_name(const struct page_kind *kind);
