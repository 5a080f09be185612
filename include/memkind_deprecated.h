/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind_deprecated.h
 * @brief Old names, for old programs; memkind.h includes this file.
 */

#pragma once

#include "memkind.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup memkind_deprecated Deprecated names
 * @brief Old names, for old programs.
 *
 * Everything here works and stays in the ABI, but new programs should not use it.
 * The rules and words of memkind.h apply.
 *
 * @par Threads
 * All of it is thread-safe.
 *
 * @{
 */

#ifndef MEMKIND_DEPRECATED
/**
 * Declares a function so that the compiler warns where it is used. A program may
 * define the macro before it includes the header: `#define MEMKIND_DEPRECATED(func)
 * func` turns the warning off.
 *
 * @param func  the declarator of the function.
 */
#if defined(__GNUC__)
#define MEMKIND_DEPRECATED(func) func __attribute__((deprecated))
#elif defined(_MSC_VER)
#define MEMKIND_DEPRECATED(func) __declspec(deprecated) func
#else
#define MEMKIND_DEPRECATED(func) func
#endif
#endif

/**
 * @name Static kinds with pages of 1 GiB
 *
 * They have rows in the table of @ref memkind_static_kinds, like all others.
 *
 * @{
 */

/** A static kind with pages of 1 GiB: its row in the table says which. */
extern memkind_t MEMKIND_GBTLB;
extern memkind_t MEMKIND_HBW_GBTLB;
extern memkind_t MEMKIND_HBW_PREFERRED_GBTLB;

/** @} */

/** The static kinds as numbers: `MEMKIND_PARTITION_X` is `MEMKIND_X`. */
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
 * Tells the static kind of a number. New programs use the variable of the kind.
 *
 * @param partition  one of memkind_base_partition.
 * @param kind       where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, whether or not the kind is available, or
 *   - #MEMKIND_ERROR_UNAVAILABLE: there is no kind of that number.
 *   - #MEMKIND_ERROR_INVALID: kind is NULL.
 */
int MEMKIND_DEPRECATED(memkind_get_kind_by_partition(int partition, memkind_t *kind));

/** @} */

#ifdef __cplusplus
}
#endif
