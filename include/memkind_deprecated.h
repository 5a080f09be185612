/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * memkind_deprecated.h - old names, for old programs
 * ==================================================
 *
 * memkind.h includes this file; no program needs to do it. Everything here
 * works and stays in the ABI, but new programs should not use it. The rules
 * and words of memkind.h apply.
 */

#pragma once

#include "memkind.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * MEMKIND_DEPRECATED(declarator) makes the compiler warn where the function is
 * used. A program may define it before it includes this header:
 *
 *     #define MEMKIND_DEPRECATED(func) func
 *
 * turns the warning off.
 */
#ifndef MEMKIND_DEPRECATED
#if defined(__GNUC__)
#define MEMKIND_DEPRECATED(func) func __attribute__((deprecated))
#elif defined(_MSC_VER)
#define MEMKIND_DEPRECATED(func) __declspec(deprecated) func
#else
#define MEMKIND_DEPRECATED(func) func
#endif
#endif

/*
 * Kinds with pages of 1 GiB: mmap(2) MAP_HUGETLB | MAP_HUGE_1GB, from the pool
 * that the administrator reserves (hugepagesz=1G hugepages=N at boot, or
 * nr_hugepages below /sys/kernel/mm/hugepages/hugepages-1048576kB). A block
 * may have any size; the heap takes whole pages of 1 GiB for it. Pages are
 * populated when they are mapped, so that exhaustion is NULL with errno ENOMEM
 * and never a SIGBUS.
 */

/**
 * Nodes: those the process's own policy allows. Policy: none of its own.
 * Pages: 1 GiB.
 * Short of memory: NULL with ENOMEM. Unavailable: no 1 GiB page is reserved,
 * MEMKIND_ERROR_HUGETLB.
 */
extern memkind_t MEMKIND_GBTLB;

/**
 * Nodes: the HBW nodes nearest to the calling CPU. Policy: bind, mbind(2)
 * MPOL_BIND. Pages: 1 GiB.
 * Short of memory: NULL with ENOMEM. Unavailable: as MEMKIND_HBW
 * (MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE, MEMKIND_ERROR_ENVIRON), else
 * MEMKIND_ERROR_HUGETLB when no 1 GiB page is reserved on the HBW nodes.
 */
extern memkind_t MEMKIND_HBW_GBTLB;

/**
 * Nodes: the HBW nodes nearest to the calling CPU, others when they are full.
 * Policy: preferred, mbind(2) MPOL_PREFERRED_MANY since Linux 5.15, else
 * MPOL_PREFERRED. Pages: 1 GiB.
 * Short of memory: 1 GiB pages of other nodes; NULL with ENOMEM when there are
 * none. Unavailable: as MEMKIND_HBW (MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
 * MEMKIND_ERROR_ENVIRON), else MEMKIND_ERROR_HUGETLB when no 1 GiB page is
 * reserved.
 */
extern memkind_t MEMKIND_HBW_PREFERRED_GBTLB;

/**
 * The static kinds as numbers: MEMKIND_PARTITION_X is MEMKIND_X.
 */
enum memkind_base_partition {
    MEMKIND_PARTITION_DEFAULT = 0,
    MEMKIND_PARTITION_HBW = 1,
    MEMKIND_PARTITION_HBW_HUGETLB = 2,
    MEMKIND_PARTITION_HBW_PREFERRED = 3,
    MEMKIND_PARTITION_HBW_PREFERRED_HUGETLB = 4,
    MEMKIND_PARTITION_HUGETLB = 5,
    MEMKIND_PARTITION_HBW_GBTLB = 6,
    MEMKIND_PARTITION_HBW_PREFERRED_GBTLB = 7,
    MEMKIND_PARTITION_GBTLB = 8,
    MEMKIND_PARTITION_HBW_INTERLEAVE = 9,
    MEMKIND_PARTITION_INTERLEAVE = 10,
    MEMKIND_PARTITION_REGULAR = 11,
    MEMKIND_PARTITION_HBW_ALL = 12,
    MEMKIND_PARTITION_HBW_ALL_HUGETLB = 13,
    MEMKIND_PARTITION_DAX_KMEM = 14,
    MEMKIND_PARTITION_DAX_KMEM_ALL = 15,
    MEMKIND_PARTITION_DAX_KMEM_PREFERRED = 16,
    MEMKIND_PARTITION_DAX_KMEM_INTERLEAVE = 17,
    MEMKIND_PARTITION_HIGHEST_CAPACITY = 18,
    MEMKIND_PARTITION_HIGHEST_CAPACITY_PREFERRED = 19,
    MEMKIND_PARTITION_HIGHEST_CAPACITY_LOCAL = 20,
    MEMKIND_PARTITION_HIGHEST_CAPACITY_LOCAL_PREFERRED = 21,
    MEMKIND_PARTITION_LOWEST_LATENCY_LOCAL = 22,
    MEMKIND_PARTITION_LOWEST_LATENCY_LOCAL_PREFERRED = 23,
    MEMKIND_PARTITION_HIGHEST_BANDWIDTH_LOCAL = 24,
    MEMKIND_PARTITION_HIGHEST_BANDWIDTH_LOCAL_PREFERRED = 25,

    /** One more than the last; the number of static kinds. */
    MEMKIND_NUM_BASE_KIND
};

/**
 * The static kind of a number. Use the variable MEMKIND_... instead.
 *
 * partition  one of memkind_base_partition.
 * kind       where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS, whether or not the kind is available;
 *          MEMKIND_ERROR_UNAVAILABLE: there is no kind of that number;
 *          MEMKIND_ERROR_INVALID: kind is NULL.
 * Threads  thread-safe.
 */
int MEMKIND_DEPRECATED(memkind_get_kind_by_partition(int partition, memkind_t *kind));

#ifdef __cplusplus
}
#endif
