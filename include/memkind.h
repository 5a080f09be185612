/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * memkind.h - malloc with a first argument that says which memory to use
 * =======================================================================
 *
 * A machine may have several sorts of memory: the ordinary one, a small fast
 * one on the processor package, a large slow one, huge pages, a file on a
 * persistent device. A KIND is a handle for one of them: a set of NUMA nodes
 * (or a file, or an area of the caller), a rule for what to do when those are
 * full, a page size, and a heap that hands out blocks of that memory. Each
 * kind has a heap of its own; blocks of two kinds never share a page.
 *
 * Some kinds exist from the start (MEMKIND_DEFAULT, MEMKIND_HBW, ...). Others
 * are created by the program.
 *
 *     #include <memkind.h>
 *     int main(void)
 *     {
 *         memkind_t kind = MEMKIND_HBW_PREFERRED;
 *         if (memkind_check_available(kind) != MEMKIND_SUCCESS)
 *             kind = MEMKIND_DEFAULT;
 *         double *v = (double *)memkind_calloc(kind, 1000, sizeof(*v));
 *         memkind_free(kind, v);
 *         return v ? 0 : 1;
 *     }
 *
 * Build it with: cc example.c -lmemkind
 *
 *
 * Glossary
 * --------
 *
 *   kind             See above. Type memkind_t. A static kind exists from the
 *                    start and cannot be destroyed; a dynamic kind comes from
 *                    a memkind_create_...() function.
 *   heap manager     The allocator that cuts pages into blocks. There are two,
 *                    JEMALLOC and TBB. One is chosen for the whole process, at
 *                    first use, by MEMKIND_HEAP_MANAGER.
 *   arena            A part of a kind's heap with locks and free lists of its
 *                    own. A kind has several, made when they are needed, so
 *                    that threads do not wait for each other. (The TBB heap
 *                    manager has pools in their place.)
 *   locality domain  The CPUs that have the same memory nodes nearby. "Local"
 *                    and "nearest" always mean: seen from the CPU on which the
 *                    calling thread runs at the time of the call.
 *   page source      What gives a kind its pages: anonymous memory with a
 *                    memory policy, huge pages, a file, or an area that the
 *                    caller owns.
 *   nodemask         A set of NUMA nodes, as mbind(2) takes it.
 *   base page        A page of the size sysconf(_SC_PAGESIZE) gives, 4 KiB on
 *                    x86-64.
 *   HBW              High-bandwidth memory. How it is found: see the static
 *                    kinds below.
 *   DAX KMEM node    A memory node made of a dax device (persistent memory,
 *                    CXL memory) by the kernel's driver kmem.
 *
 *
 * General rules
 * -------------
 *
 * Threads. Every function may be called from any thread at any time, with one
 *   exception: while a thread uses a kind, no other may destroy it. (A struct
 *   memkind_config is plain data: one thread at a time may change it.) A block
 *   may be freed by another thread than the one that allocated it. After
 *   fork(2), the child can allocate from every kind and free to it.
 *
 * Start. Nothing happens when the library is loaded. The machine is looked at,
 *   and environment variables are read, when the first call needs them; a
 *   program may set them in main().
 *
 * Size 0. A request for 0 bytes returns NULL and leaves errno alone: it is not
 *   an error. memkind_set_allow_zero_allocs() changes that for one kind.
 *
 * Failure. A failure is a return value, never an abort(). An allocation that
 *   fails returns NULL with errno ENOMEM; this includes sizes that are too
 *   large and kinds that are not available. Functions that return int give
 *   MEMKIND_SUCCESS (0) or one of the negative MEMKIND_ERROR_ codes; only
 *   memkind_posix_memalign() returns an errno value instead. With
 *   MEMKIND_DEBUG=1, each failure is also one line on stderr.
 *
 * errno. It has a meaning only after a call whose description says that the
 *   call sets it, and only if that call failed.
 *
 * NULL as kind. Functions that make a new block need a kind: with NULL, they
 *   fail with EINVAL. Functions that are given a block accept NULL and find
 *   the kind from the address, in constant time and without a lock. A kind
 *   other than NULL must be the one the block came from.
 *
 * Freed blocks. Each thread keeps some of those it freed at hand, for its next
 *   allocations: under JEMALLOC up to 3 MiB of a kind (for each node it ran on,
 *   where the kind's nodes depend on that), of blocks up to 32 KiB, and 64 KiB
 *   where MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE is set. It gives back what it
 *   does not use, while it allocates or when it calls
 *   memkind_update_cached_stats(), and the rest when it ends.
 *
 * Foreign pointers. A pointer that the library never returned belongs to no
 *   kind: memkind_detect_kind() gives NULL, memkind_malloc_usable_size() gives
 *   0, memkind_free() does nothing, memkind_realloc() does nothing and returns
 *   NULL with errno EINVAL. With MEMKIND_DEBUG=1 there is a line on stderr.
 *   Freeing the same block twice is undefined, as it is with free(3).
 *
 * When memory is short. The outcome depends on the kind's policy, and on when
 *   the kernel provides pages. Base pages are provided when they are first
 *   written, huge pages when the library maps a region.
 *
 *     policy      pages  when the kind's nodes are full
 *     ----------  -----  ----------------------------------------------------
 *     none        base   The kernel uses any node the process may use.
 *     bind        base   No other node is used; the kernel reclaims and swaps
 *                        pages of these nodes. NULL with errno ENOMEM when they
 *                        have no room beside what the heap was given before and
 *                        did not write yet. What other processes take later
 *                        cannot be foreseen: the kernel's out-of-memory killer
 *                        then ends a process at the first write of a page.
 *                        Kinds bound to all nodes of the process are not
 *                        watched: there, memory runs out as with malloc(3).
 *     preferred   base   The kernel uses other nodes, nearest first.
 *     interleave  base   The kernel takes a page that is due to a full node
 *                        from the nearest node with room, whether or not that
 *                        one is in the set.
 *     bind, none  huge   NULL with errno ENOMEM.
 *     preferred   huge   Huge pages of other nodes; NULL with errno ENOMEM
 *                        when there are none.
 *
 *   In all cases the result is NULL with ENOMEM when the kernel refuses to map
 *   more memory (address space, overcommit, RLIMIT_AS, the mapping count
 *   vm.max_map_count). Huge pages are populated when a region is mapped, so
 *   that exhaustion is NULL with ENOMEM and never a SIGBUS. File-backed and
 *   fixed kinds return NULL with ENOMEM at their limit.
 *
 *
 * Environment
 * -----------
 *
 *   Read once, at first use, with secure_getenv(3): a set-user-ID program
 *   ignores them. A wrong value is always reported by one line on stderr that
 *   names the variable, its value and what is accepted.
 *
 *   Variable                         Accepted          Otherwise
 *   -------------------------------  ----------------  -----------------------
 *   MEMKIND_HEAP_MANAGER             JEMALLOC, TBB     unset, wrong: JEMALLOC;
 *                                                      the same, with a line on
 *                                                      stderr, if libtbbmalloc
 *                                                      cannot be loaded
 *   MEMKIND_HBW_NODES,               node list as      unset: detected
 *   MEMKIND_DAX_KMEM_NODES           numactl(8) takes  wrong: kinds of these
 *                                    it (0,2-3), of    nodes report
 *                                    existing nodes    MEMKIND_ERROR_ENVIRON
 *   MEMKIND_HBW_THRESHOLD            MB/s, a whole     unset: relative rule,
 *                                    number            see the static kinds
 *                                                      wrong: the HBW kinds
 *                                                      report
 *                                                      MEMKIND_ERROR_ENVIRON
 *   MEMKIND_ARENA_NUM_PER_KIND       1 to 4094: upper  unset: the library
 *                                    bound of arenas   chooses
 *                                    per kind          wrong: the create
 *                                                      functions return
 *                                                      MEMKIND_ERROR_ENVIRON;
 *                                                      for static kinds, as
 *                                                      unset
 *   MEMKIND_HOG_MEMORY               0, 1: with 1, no  unset, wrong: 0
 *                                    memory goes back
 *                                    to the system
 *   MEMKIND_BACKGROUND_THREAD_LIMIT  1 and more: cap   unset, wrong: no cap
 *                                    for background
 *                                    threads
 *   MEMKIND_DEBUG                    0, 1: with 1,     unset, wrong: 0
 *                                    log lines on
 *                                    stderr
 *
 *
 * What it rests on
 * ----------------
 *
 *   Arenas and thread caches: J. Evans, "A Scalable Concurrent malloc(3)
 *   Implementation for FreeBSD", BSDCan 2006 (jemalloc). Memory pools of the
 *   other heap manager: oneTBB's scalable allocator (libtbbmalloc). Placement:
 *   mbind(2), described in the kernel's
 *   Documentation/admin-guide/mm/numa_memory_policy.rst. Huge pages:
 *   Documentation/admin-guide/mm/hugetlbpage.rst. What the kernel tells about
 *   the speed of nodes: Documentation/admin-guide/mm/numaperf.rst.
 */

#pragma once

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The qualifier of the pointer that memkind_malloc_usable_size() takes: empty,
 * unless a program defines it before it includes this header. (FreeBSD's
 * malloc_usable_size() takes a pointer to const, Linux's does not.)
 */
#ifndef MEMKIND_MALLOC_USABLE_SIZE_CONST
#define MEMKIND_MALLOC_USABLE_SIZE_CONST
#endif

/** The handle of a kind. */
typedef struct memkind *memkind_t;

/* ------------------------------------------------------------------------
 * Constants
 * ------------------------------------------------------------------------ */

enum memkind_const {
    /** Number of dynamic kinds that can be alive at the same time. */
    MEMKIND_MAX_KIND = 512,

    /** Bytes that hold every text of memkind_error_message(), with its NUL. */
    MEMKIND_ERROR_MESSAGE_SIZE = 128,

    /** Smallest size limit of a file-backed kind, in bytes: 16 MiB. */
    MEMKIND_PMEM_MIN_SIZE = (1024 * 1024 * 16),

    /** Smallest area of a fixed kind, in bytes: 16 MiB. New in 1.15.0. */
    MEMKIND_FIXED_MIN_SIZE = (1024 * 1024 * 16)
};

/**
 * What the functions that return int return. memkind_error_message() turns a
 * code into text.
 */
enum {
    /** It worked. */
    MEMKIND_SUCCESS = 0,

    /** The kind does not exist on this machine; no DAX KMEM node. */
    MEMKIND_ERROR_UNAVAILABLE = -1,

    /** The kernel refused mbind(2), as the seccomp filters of containers do
     *  (EPERM), or lacks it (ENOSYS). */
    MEMKIND_ERROR_MBIND = -2,

    /** The kernel refused mmap(2): of a file in a directory, or of even a
     *  single page. */
    MEMKIND_ERROR_MMAP = -3,

    /** No memory for the library's own data. */
    MEMKIND_ERROR_MALLOC = -6,

    /** An environment variable of the table above has a wrong value. */
    MEMKIND_ERROR_ENVIRON = -12,

    /** A wrong argument. */
    MEMKIND_ERROR_INVALID = -13,

    /** MEMKIND_MAX_KIND dynamic kinds are alive already. */
    MEMKIND_ERROR_TOOMANY = -15,

    /** Never returned by this library; kept for old programs. */
    MEMKIND_ERROR_BADOPS = -17,

    /** No huge pages of the kind's page size are reserved on its nodes. */
    MEMKIND_ERROR_HUGETLB = -18,

    /** The machine has no memory of the wanted type: no high-bandwidth
     *  nodes, or no figures about bandwidth and latency. */
    MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE = -20,

    /** The heap manager failed, or cannot do this. Also, from every function
     *  that returns codes: it was called from inside another call of this
     *  library on the same thread, by a malloc that replaces the C library's. */
    MEMKIND_ERROR_OPERATION_FAILED = -21,

    /** The heap manager could not make an arena. */
    MEMKIND_ERROR_ARENAS_CREATE = -22,

    /** Any other failure at run time. */
    MEMKIND_ERROR_RUNTIME = -255
};

#define _MEMKIND_BIT(N) (1ull << (N))

/**
 * Memory types for memkind_create_kind(). They are bits and can be combined;
 * C++ needs a cast: (memkind_memtype_t)(A | B).
 */
typedef enum memkind_memtype_t {
    /** Ordinary memory: what the process gets without this library. */
    MEMKIND_MEMTYPE_DEFAULT = _MEMKIND_BIT(0),

    /** High-bandwidth memory. It exists only in comparison: the machine must
     *  have memories of different bandwidth (or MEMKIND_HBW_NODES is set). */
    MEMKIND_MEMTYPE_HIGH_BANDWIDTH = _MEMKIND_BIT(1)
} memkind_memtype_t;

#undef _MEMKIND_BIT

/** Placement policies for memkind_create_kind(). */
typedef enum memkind_policy_t {
    /** Only the nearest nodes of the type. mbind(2) MPOL_BIND. */
    MEMKIND_POLICY_BIND_LOCAL = 0,

    /** Only nodes of the type, near or not. mbind(2) MPOL_BIND. */
    MEMKIND_POLICY_BIND_ALL,

    /** The nearest nodes of the type; when they are full or do not exist, any
     *  other node. mbind(2) MPOL_PREFERRED_MANY since Linux 5.15, before that
     *  MPOL_PREFERRED with the lowest-numbered node. */
    MEMKIND_POLICY_PREFERRED_LOCAL,

    /** Pages in turn over the local nodes. No combination accepts it. */
    MEMKIND_POLICY_INTERLEAVE_LOCAL,

    /** Pages in turn over all nodes of the types. mbind(2) MPOL_INTERLEAVE. */
    MEMKIND_POLICY_INTERLEAVE_ALL,

    /** One more than the last policy of 1.14.0; not a policy. */
    MEMKIND_POLICY_MAX_VALUE,

    /** Pages in turn over the nodes, to each as many as its weight says: the
     *  administrator's in /sys/kernel/mm/mempolicy/weighted_interleave, or the
     *  kernel's own from bandwidths. For memkind_create_nodes() only. mbind(2)
     *  MPOL_WEIGHTED_INTERLEAVE since Linux 6.9; before that, as
     *  MEMKIND_POLICY_INTERLEAVE_ALL. New in 1.15.0. */
    MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL
} memkind_policy_t;

/**
 * Flags for memkind_create_kind(). Bits 0 to 7 are the base-2 logarithm of the
 * page size; 0 there means base pages. Pass (memkind_bits_t)0 for no flag.
 */
typedef enum memkind_bits_t {
    /** Pages of 2 MiB (2 to the power of 21 bytes) from hugetlbfs, see
     *  MAP_HUGE_2MB in mmap(2). */
    MEMKIND_MASK_PAGE_SIZE_2MB = 21ull
} memkind_bits_t;

/** How eagerly a file-backed kind gives memory back. */
typedef enum memkind_mem_usage_policy {
    /** Unused pages are kept for a while, then given back. A thread keeps up to
     *  3 MiB of freed blocks of the kind at hand (JEMALLOC), less of a kind
     *  with a small limit. */
    MEMKIND_MEM_USAGE_POLICY_DEFAULT = 0,

    /** Unused pages are given back at once: least memory, more time. A thread
     *  keeps up to 64 KiB of freed blocks at hand (JEMALLOC). Under TBB, what
     *  libtbbmalloc keeps for itself stays. */
    MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE = 1,

    /** One more than the last policy; not a policy. */
    MEMKIND_MEM_USAGE_POLICY_MAX_VALUE
} memkind_mem_usage_policy;

/** Figures for memkind_get_stat(). Each is a number of bytes. */
typedef enum memkind_stat_type {
    /** Pages that may be in physical memory, at most: blocks, the heap
     *  manager's own data, and freed pages not given back yet. */
    MEMKIND_STAT_TYPE_RESIDENT = 0,

    /** Pages that hold at least one block; a multiple of the page size.
     *  (TBB: pages that its pools hold, with blocks or without.) */
    MEMKIND_STAT_TYPE_ACTIVE = 1,

    /** Blocks, counted with their usable size. */
    MEMKIND_STAT_TYPE_ALLOCATED = 2,

    /** One more than the last type; not a type. */
    MEMKIND_STAT_TYPE_MAX_VALUE
} memkind_stat_type;

/** Options for memkind_stats_print(). They are bits and can be combined. */
typedef enum memkind_stat_print_opt {
    /** Everything, as plain text. */
    MEMKIND_STAT_PRINT_ALL = 0,

    /** As JSON. */
    MEMKIND_STAT_PRINT_JSON_FORMAT = 1U << 0,

    /** Leave out what cannot change while the program runs. */
    MEMKIND_STAT_PRINT_OMIT_GENERAL = 1U << 1,

    /** Leave out the sums over all arenas. */
    MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA = 1U << 2,

    /** Leave out the sums over arenas that are destroyed. */
    MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA = 1U << 3,

    /** Leave out the figures of each arena. */
    MEMKIND_STAT_PRINT_OMIT_PER_ARENA = 1U << 4,

    /** Leave out the figures of each size class of small blocks. */
    MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS = 1U << 5,

    /** Leave out the figures of each size class of large blocks. */
    MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE = 1U << 6,

    /** Leave out the figures about locks. */
    MEMKIND_STAT_PRINT_OMIT_MUTEX = 1U << 7,

    /** Leave out the figures about extents (runs of pages). */
    MEMKIND_STAT_PRINT_OMIT_EXTENT = 1U << 8
} memkind_stat_print_opt;

/* ------------------------------------------------------------------------
 * Static kinds
 *
 *   name                              nodes                    policy   pages
 *   --------------------------------  -----------------------  -------  -----
 *   MEMKIND_DEFAULT                   as the process           none     base
 *   MEMKIND_REGULAR                   with CPUs                bind     base
 *   MEMKIND_INTERLEAVE                all with memory          interl.  base
 *   MEMKIND_HUGETLB                   as the process           none     2 MiB
 *   MEMKIND_HBW                       HBW, nearest             bind     base
 *   MEMKIND_HBW_HUGETLB               HBW, nearest             bind     2 MiB
 *   MEMKIND_HBW_ALL                   HBW, all                 bind     base
 *   MEMKIND_HBW_ALL_HUGETLB           HBW, all                 bind     2 MiB
 *   MEMKIND_HBW_PREFERRED             HBW, nearest             pref.    base
 *   MEMKIND_HBW_PREFERRED_HUGETLB     HBW, nearest             pref.    2 MiB
 *   MEMKIND_HBW_INTERLEAVE            HBW, all                 interl.  base
 *   MEMKIND_DAX_KMEM                  DAX, nearest             bind     base
 *   MEMKIND_DAX_KMEM_ALL              DAX, all                 bind     base
 *   MEMKIND_DAX_KMEM_PREFERRED        DAX, nearest             pref.    base
 *   MEMKIND_DAX_KMEM_INTERLEAVE       DAX, all                 interl.  base
 *   MEMKIND_HIGHEST_CAPACITY          largest of the machine   bind     base
 *   ..._CAPACITY_PREFERRED            largest of the machine   pref.    base
 *   ..._CAPACITY_LOCAL                largest local            bind     base
 *   ..._CAPACITY_LOCAL_PREFERRED      largest local            pref.    base
 *   MEMKIND_LOWEST_LATENCY_LOCAL      quickest local           bind     base
 *   ..._LATENCY_LOCAL_PREFERRED       quickest local           pref.    base
 *   MEMKIND_HIGHEST_BANDWIDTH_LOCAL   highest-bandwidth local  bind     base
 *   ..._BANDWIDTH_LOCAL_PREFERRED     highest-bandwidth local  pref.    base
 *
 * (MEMKIND_GBTLB and its two relatives with 1 GiB pages are in
 * memkind_deprecated.h.)
 *
 * Several nodes can be equally near, large, quick or wide: the kind then uses
 * all of them. For a preferred kind that is MPOL_PREFERRED_MANY since Linux
 * 5.15; an older kernel gets the lowest-numbered one of them.
 *
 * A kind that is not available still is a valid handle. Allocations from it,
 * including those from a preferred kind, return NULL with errno ENOMEM, and
 * memkind_check_available() says why. Every kind with a policy needs mbind(2);
 * where the kernel refuses it, the code is MEMKIND_ERROR_MBIND.
 *
 * High-bandwidth (HBW) nodes are, by the first of these that says anything:
 *   1. the nodes of MEMKIND_HBW_NODES;
 *   2. where bandwidths are known, with MEMKIND_HBW_THRESHOLD set: nodes of at
 *      least that bandwidth;
 *   3. where they are known, without it: nodes without CPUs that have more than
 *      twice the bandwidth of the ordinary memory, that of nodes with CPUs, as
 *      seen from the same CPUs;
 *   4. on a Knights Landing or Knights Mill: nodes without CPUs.
 * DAX KMEM (DAX) nodes are those of MEMKIND_DAX_KMEM_NODES or, when that is
 * not set, the target nodes of the dax devices that the driver kmem holds.
 * Bandwidths and latencies are what the kernel publishes for each node below
 * /sys/devices/system/node, from ACPI HMAT and, for CXL memory, from the
 * device (Linux 6.8): access1 or, without that and if CPUs see it, access0.
 *
 * "Nearest" are the nodes at the shortest distance, of equal ones those that
 * the firmware puts nearest to the CPU's node. "Local" are the memory of the
 * CPU's own node, or the nearest of another node with CPUs where it has none,
 * and the nodes without CPUs that the firmware, or else the distances, put
 * nearest to it. The machine is looked at once, at first use.
 *
 * Each of these is a data symbol that dlsym(3) can read. Do not assign to it.
 * ------------------------------------------------------------------------ */

/**
 * Ordinary memory. Nodes: those the process's own policy allows. Policy: none
 * of its own. Pages: base.
 * Short of memory: as the process itself. Always available.
 */
extern memkind_t MEMKIND_DEFAULT;

/**
 * Memory of the nodes that have CPUs, so not of HBW-only, DAX or other nodes
 * without CPUs. Policy: bind, mbind(2) MPOL_BIND. Pages: base.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: only without mbind(2), MEMKIND_ERROR_MBIND.
 */
extern memkind_t MEMKIND_REGULAR;

/**
 * All nodes that have memory, in turn, page by page. Policy: interleave,
 * mbind(2) MPOL_INTERLEAVE. Pages: base.
 * Short of memory: a full node is passed over. Unavailable: only without
 * mbind(2), MEMKIND_ERROR_MBIND.
 */
extern memkind_t MEMKIND_INTERLEAVE;

/**
 * Ordinary memory in huge pages. Nodes: those the process's own policy allows.
 * Policy: none of its own. Pages: 2 MiB from the pool that the administrator
 * reserves (vm.nr_hugepages), mmap(2) MAP_HUGETLB | MAP_HUGE_2MB.
 * Short of memory: NULL with ENOMEM. Unavailable: no 2 MiB page is reserved,
 * MEMKIND_ERROR_HUGETLB.
 */
extern memkind_t MEMKIND_HUGETLB;

/**
 * The HBW nodes nearest to the calling CPU. Policy: bind, MPOL_BIND. Pages:
 * base.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: no HBW nodes, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE; a wrong
 * MEMKIND_HBW_NODES or MEMKIND_HBW_THRESHOLD, MEMKIND_ERROR_ENVIRON.
 */
extern memkind_t MEMKIND_HBW;

/**
 * All HBW nodes; the kernel takes each page from the one nearest to the CPU
 * that first writes it. Policy: bind, MPOL_BIND. Pages: base.
 * Short of memory: another HBW node, then as MEMKIND_HBW. Unavailable: as
 * MEMKIND_HBW.
 */
extern memkind_t MEMKIND_HBW_ALL;

/**
 * The HBW nodes nearest to the calling CPU, others when they are full. Policy:
 * preferred, MPOL_PREFERRED_MANY since Linux 5.15, else MPOL_PREFERRED. Pages:
 * base.
 * Short of memory: any other node, nearest first. Unavailable: as MEMKIND_HBW.
 */
extern memkind_t MEMKIND_HBW_PREFERRED;

/**
 * MEMKIND_HBW with pages of 2 MiB (MAP_HUGE_2MB). Nodes: nearest HBW nodes.
 * Policy: bind.
 * Short of memory: NULL with ENOMEM. Unavailable: as MEMKIND_HBW, else
 * MEMKIND_ERROR_HUGETLB when no such page is reserved on the HBW nodes.
 */
extern memkind_t MEMKIND_HBW_HUGETLB;

/**
 * MEMKIND_HBW_ALL with pages of 2 MiB (MAP_HUGE_2MB). Nodes: all HBW nodes.
 * Policy: bind.
 * Short of memory: NULL with ENOMEM. Unavailable: as MEMKIND_HBW_HUGETLB.
 */
extern memkind_t MEMKIND_HBW_ALL_HUGETLB;

/**
 * MEMKIND_HBW_PREFERRED with pages of 2 MiB (MAP_HUGE_2MB). Nodes: nearest HBW
 * nodes. Policy: preferred.
 * Short of memory: huge pages of other nodes; NULL with ENOMEM when there are
 * none. Unavailable: as MEMKIND_HBW, else MEMKIND_ERROR_HUGETLB when no such
 * page is reserved.
 */
extern memkind_t MEMKIND_HBW_PREFERRED_HUGETLB;

/**
 * All HBW nodes in turn, page by page. Policy: interleave, MPOL_INTERLEAVE.
 * Pages: base.
 * Short of memory: a full node is passed over. Unavailable: as MEMKIND_HBW.
 */
extern memkind_t MEMKIND_HBW_INTERLEAVE;

/**
 * The DAX KMEM nodes nearest to the calling CPU. Policy: bind, MPOL_BIND.
 * Pages: base.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: no DAX KMEM nodes, MEMKIND_ERROR_UNAVAILABLE; a wrong
 * MEMKIND_DAX_KMEM_NODES, MEMKIND_ERROR_ENVIRON.
 */
extern memkind_t MEMKIND_DAX_KMEM;

/**
 * All DAX KMEM nodes. Policy: bind, MPOL_BIND. Pages: base.
 * Short of memory: another DAX KMEM node, then as MEMKIND_DAX_KMEM.
 * Unavailable: as MEMKIND_DAX_KMEM.
 */
extern memkind_t MEMKIND_DAX_KMEM_ALL;

/**
 * The DAX KMEM nodes nearest to the calling CPU, others when they are full.
 * Policy: preferred, MPOL_PREFERRED_MANY since Linux 5.15, else
 * MPOL_PREFERRED. Pages: base.
 * Short of memory: any other node, nearest first. Unavailable: as
 * MEMKIND_DAX_KMEM.
 */
extern memkind_t MEMKIND_DAX_KMEM_PREFERRED;

/**
 * All DAX KMEM nodes in turn, page by page. Policy: interleave,
 * MPOL_INTERLEAVE. Pages: base.
 * Short of memory: a full node is passed over. Unavailable: as
 * MEMKIND_DAX_KMEM.
 */
extern memkind_t MEMKIND_DAX_KMEM_INTERLEAVE;

/**
 * The node or nodes with the most memory (MemTotal) of the whole machine.
 * Policy: bind, MPOL_BIND. Pages: base.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: only without mbind(2), MEMKIND_ERROR_MBIND.
 */
extern memkind_t MEMKIND_HIGHEST_CAPACITY;

/**
 * The node or nodes with the most memory of the whole machine, others when
 * they are full. Policy: preferred, MPOL_PREFERRED_MANY since Linux 5.15, else
 * MPOL_PREFERRED. Pages: base.
 * Short of memory: any other node, nearest first. Unavailable: as
 * MEMKIND_HIGHEST_CAPACITY.
 */
extern memkind_t MEMKIND_HIGHEST_CAPACITY_PREFERRED;

/**
 * Of the nodes local to the calling CPU, those with the most memory. Policy:
 * bind, MPOL_BIND. Pages: base.
 * Short of memory and unavailable: as MEMKIND_HIGHEST_CAPACITY.
 */
extern memkind_t MEMKIND_HIGHEST_CAPACITY_LOCAL;

/**
 * Of the nodes local to the calling CPU, those with the most memory; others
 * when they are full. Policy: preferred, MPOL_PREFERRED_MANY since Linux 5.15,
 * else MPOL_PREFERRED. Pages: base.
 * Short of memory and unavailable: as MEMKIND_HIGHEST_CAPACITY_PREFERRED.
 */
extern memkind_t MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED;

/**
 * Of the nodes local to the calling CPU, those with the lowest latency.
 * Policy: bind, MPOL_BIND. Pages: base.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: the kernel publishes no latencies or, with other local nodes to
 * choose from, none of the CPU's own, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE.
 */
extern memkind_t MEMKIND_LOWEST_LATENCY_LOCAL;

/**
 * Of the nodes local to the calling CPU, those with the lowest latency; others
 * when they are full. Policy: preferred, MPOL_PREFERRED_MANY since Linux 5.15,
 * else MPOL_PREFERRED. Pages: base.
 * Short of memory: any other node, nearest first. Unavailable: as
 * MEMKIND_LOWEST_LATENCY_LOCAL.
 */
extern memkind_t MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED;

/**
 * Of the nodes local to the calling CPU, those with the highest bandwidth.
 * Policy: bind, MPOL_BIND. Pages: base. Unlike MEMKIND_HBW, the best node
 * counts even if it is ordinary memory.
 * Short of memory: no other node is used, see "When memory is short".
 * Unavailable: the kernel publishes no bandwidths or, with other local nodes to
 * choose from, none of the CPU's own, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE.
 */
extern memkind_t MEMKIND_HIGHEST_BANDWIDTH_LOCAL;

/**
 * Of the nodes local to the calling CPU, those with the highest bandwidth;
 * others when they are full. Policy: preferred, MPOL_PREFERRED_MANY since
 * Linux 5.15, else MPOL_PREFERRED. Pages: base.
 * Short of memory: any other node, nearest first. Unavailable: as
 * MEMKIND_HIGHEST_BANDWIDTH_LOCAL.
 */
extern memkind_t MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED;

/* ------------------------------------------------------------------------
 * Version and error text
 * ------------------------------------------------------------------------ */

/**
 * The version of the library that runs.
 *
 * Returns  major * 1000000 + minor * 1000 + patch; 1015000 for 1.15.0.
 * Threads  thread-safe. Errors: none.
 */
int memkind_get_version(void);

/**
 * Write the English text of a code to a buffer.
 *
 * err      a code of this header. Any other number gives a text that says so
 *          and contains the number.
 * msg      the buffer.
 * size     its size in bytes. MEMKIND_ERROR_MESSAGE_SIZE is always enough. A
 *          longer text is cut; if size is not 0, the result ends with NUL.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe.
 */
void memkind_error_message(int err, char *msg, size_t size);

/* ------------------------------------------------------------------------
 * Blocks
 * ------------------------------------------------------------------------ */

/**
 * Allocate a block. Its content is undefined.
 *
 * kind     where from; not NULL.
 * size     in bytes.
 *
 * Returns  the block, aligned for every object that fits into size bytes;
 *          NULL, errno untouched: size is 0 (but see
 *          memkind_set_allow_zero_allocs());
 *          NULL, errno ENOMEM: no memory, size too large (more than
 *          PTRDIFF_MAX), or the kind is not available;
 *          NULL, errno EINVAL: kind is NULL.
 * Threads  thread-safe.
 * Rests on the heap manager: arenas as in Evans 2006, with a cache for each
 *          thread and kind; placement by mbind(2), done once for each region
 *          of 2 MiB or more.
 */
void *memkind_malloc(memkind_t kind, size_t size);

/**
 * Allocate a block for an array, and set all its bytes to zero.
 *
 * kind     where from; not NULL.
 * num      number of elements.
 * size     size of an element in bytes.
 *
 * Returns  the block, aligned for every object that fits;
 *          NULL, errno untouched: num or size is 0 (but see
 *          memkind_set_allow_zero_allocs());
 *          NULL, errno ENOMEM: no memory, num * size too large or not
 *          representable, or the kind is not available;
 *          NULL, errno EINVAL: kind is NULL.
 * Threads  thread-safe.
 */
void *memkind_calloc(memkind_t kind, size_t num, size_t size);

/**
 * Allocate a block at a multiple of alignment. Its content is undefined.
 *
 * The alignment is checked before everything else; a wrong one is an error
 * even if size is 0.
 *
 * kind       where from; not NULL.
 * memptr     where the address of the block is stored. On error, *memptr is
 *            left alone.
 * alignment  in bytes: a power of two, not less than sizeof(void *).
 * size       in bytes. 0 stores NULL and returns 0 (but see
 *            memkind_set_allow_zero_allocs()).
 *
 * Returns    0: *memptr is the block;
 *            EINVAL: wrong alignment, or kind is NULL;
 *            ENOMEM: no memory, size or alignment too large, or the kind is
 *            not available.
 *            These are errno values, not MEMKIND_ERROR_ codes. errno itself is
 *            never changed.
 * Threads    thread-safe.
 */
int memkind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size);

/**
 * Change the size of a block. The content is kept up to the smaller of both
 * sizes; bytes beyond the old size are undefined. The block may move. It stays
 * in its kind. An alignment larger than memkind_malloc() gives may be lost.
 *
 *   kind  ptr      size  same as
 *   ----  -------  ----  --------------------------------------------------
 *   any   block    > 0   the operation described here
 *   any   block    0     memkind_free(kind, ptr), then NULL
 *   K     NULL     any   memkind_malloc(K, size)
 *   NULL  NULL     any   an error: NULL, errno EINVAL
 *   any   foreign  any   an error: NULL, errno EINVAL; nothing is freed
 *
 * kind     the kind of ptr, or NULL to have it found from ptr.
 * ptr      a block, or NULL.
 * size     the new size in bytes.
 *
 * Returns  the block of the new size; ptr is no longer valid unless it is the
 *          same address;
 *          NULL, errno untouched: size is 0, the block is freed (also if
 *          memkind_set_allow_zero_allocs() is on for the kind);
 *          NULL, errno ENOMEM: no memory or size too large; ptr stays valid,
 *          with its content;
 *          NULL, errno EINVAL: see the table.
 * Threads  thread-safe; only one thread at a time may work on a block.
 */
void *memkind_realloc(memkind_t kind, void *ptr, size_t size);

/**
 * Free a block.
 *
 * kind     the kind of ptr, or NULL to have it found from ptr.
 * ptr      a block, or NULL for nothing to happen.
 *
 * Returns  nothing. Errors: none; a pointer that is not of this library is
 *          left alone, with a log line if MEMKIND_DEBUG is 1.
 * Threads  thread-safe. The block may come from another thread; it returns to
 *          the arena it came from.
 */
void memkind_free(memkind_t kind, void *ptr);

/**
 * The number of bytes that can be used in a block: at least the size asked
 * for.
 *
 * kind     the kind of ptr, or NULL to have it found from ptr.
 * ptr      a block, or NULL.
 *
 * Returns  bytes; 0 if ptr is NULL or not of this library.
 * Threads  thread-safe.
 */
size_t memkind_malloc_usable_size(memkind_t kind, MEMKIND_MALLOC_USABLE_SIZE_CONST void *ptr);

/**
 * Which kind does this block come from? Constant time, no lock.
 *
 * ptr      a block, or any other pointer. An address inside a block, other
 *          than its start, may give the kind or NULL.
 *
 * Returns  the kind; NULL if ptr is NULL or not of this library.
 * Threads  thread-safe.
 */
memkind_t memkind_detect_kind(void *ptr);

/**
 * Move a block to a fuller page, if that helps to empty the page it is on.
 * Calling this for many blocks lets a fragmented heap shrink.
 *
 * An alignment larger than memkind_malloc() gives may be lost.
 *
 * kind     the kind of ptr, or NULL to have it found from ptr.
 * ptr      a block, or NULL.
 *
 * Returns  the new block with the same content and size; ptr is freed;
 *          NULL: the block was not moved and ptr stays valid, since a move
 *          would not help, or there is no memory for it, or the heap manager
 *          cannot tell, or ptr is NULL or not of this library. errno has no
 *          meaning.
 * Threads  thread-safe; only one thread at a time may work on a block.
 * Rests on jemalloc's figures about the use of slabs
 *          (experimental.utilization).
 */
void *memkind_defrag_reallocate(memkind_t kind, void *ptr);

/**
 * Decide what a request for 0 bytes gives in a kind.
 *
 * Off (the start value): NULL. On: memkind_malloc(), memkind_calloc(),
 * memkind_posix_memalign() and memkind_realloc() with a NULL pointer give a
 * block of the smallest size, to be freed like any other. A memkind_realloc()
 * of a block to 0 bytes frees it in both cases.
 *
 * New in 1.15.0.
 *
 * kind               any kind, static or dynamic; not NULL.
 * allow_zero_allocs  true for on, false for off.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: kind is NULL.
 * Threads  thread-safe. Calls that run meanwhile see the old or the new value.
 */
int memkind_set_allow_zero_allocs(memkind_t kind, bool allow_zero_allocs);

/* ------------------------------------------------------------------------
 * Creating and destroying kinds
 * ------------------------------------------------------------------------ */

/**
 * Create a kind from memory types and a policy. It has a heap of its own.
 *
 *   memtype_flags             policy           works like
 *   ------------------------  ---------------  ------------------------------
 *   DEFAULT                   PREFERRED_LOCAL  MEMKIND_DEFAULT *
 *   HIGH_BANDWIDTH            BIND_LOCAL       MEMKIND_HBW *
 *   HIGH_BANDWIDTH            BIND_ALL         MEMKIND_HBW_ALL *
 *   HIGH_BANDWIDTH            PREFERRED_LOCAL  MEMKIND_HBW_PREFERRED *
 *   HIGH_BANDWIDTH            INTERLEAVE_ALL   MEMKIND_HBW_INTERLEAVE
 *   DEFAULT | HIGH_BANDWIDTH  INTERLEAVE_ALL   MEMKIND_INTERLEAVE
 *
 * flags must be 0. In the rows marked * it can be MEMKIND_MASK_PAGE_SIZE_2MB:
 * the kind then works like the static kind with _HUGETLB in its name
 * (MEMKIND_HUGETLB for MEMKIND_DEFAULT).
 *
 * On a machine without HBW nodes, PREFERRED_LOCAL and DEFAULT | HIGH_BANDWIDTH
 * succeed and use ordinary memory. The other rows of HIGH_BANDWIDTH fail.
 * Huge pages need not be reserved yet; as long as there are none, allocations
 * return NULL with errno ENOMEM.
 *
 * memtype_flags  one or more of memkind_memtype_t.
 * policy         one of memkind_policy_t.
 * flags          see above.
 * kind           where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: a combination that is not in the table, or
 *          kind is NULL;
 *          MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE: no HBW nodes, see above;
 *          MEMKIND_ERROR_ENVIRON: a wrong MEMKIND_ARENA_NUM_PER_KIND or, with
 *          HIGH_BANDWIDTH, MEMKIND_HBW_NODES or MEMKIND_HBW_THRESHOLD;
 *          MEMKIND_ERROR_TOOMANY: MEMKIND_MAX_KIND dynamic kinds are alive;
 *          MEMKIND_ERROR_MBIND: the kernel refuses mbind(2);
 *          MEMKIND_ERROR_MMAP: it maps not even a page;
 *          MEMKIND_ERROR_MALLOC, MEMKIND_ERROR_ARENAS_CREATE: no memory for
 *          the kind's own data;
 *          MEMKIND_ERROR_OPERATION_FAILED: called from inside another call.
 *          After a failure nothing is left behind.
 * Threads  thread-safe.
 * Rests on mbind(2): MPOL_BIND, MPOL_INTERLEAVE, MPOL_PREFERRED_MANY (Linux
 *          5.15) or MPOL_PREFERRED; for 2 MiB pages mmap(2) MAP_HUGE_2MB,
 *          populated with madvise(2) MADV_POPULATE_WRITE (Linux 5.14).
 */
int memkind_create_kind(memkind_memtype_t memtype_flags, memkind_policy_t policy,
                        memkind_bits_t flags, memkind_t *kind);

/**
 * Create a kind whose memory is a file: a "PMEM" kind.
 *
 * The file is created in dir and has no name there (open(2) O_TMPFILE, or
 * unlinked at once). Its space is taken as the heap grows, given back as it
 * shrinks, and all of it is gone when the kind is destroyed or the process
 * ends. On a file system mounted with DAX, blocks lie directly on the device;
 * on another one, the page cache stands between. Nothing survives the process:
 * this is memory, not storage.
 *
 * After fork(2), parent and child have the old blocks in common, since the
 * mapping is shared: what one writes, the other sees. Who frees such a block is
 * the parent; a free by the child does nothing, a realloc by the child copies.
 * The child takes new blocks from a file of its own, with the same limit, in
 * the same directory.
 *
 * A file system that cannot give back parts of a file (no hole punching) keeps
 * the space of freed blocks until the kind is destroyed; they are used again.
 * One that cannot reserve space (no fallocate) gets it reserved by writing.
 *
 * The kind keeps a descriptor of the file. A program that closes it, as those do
 * that close all they find, keeps its blocks, but the kind gets no further pages;
 * nothing is written to another file that has the descriptor's number now.
 *
 * dir       path of a directory that the process may write to.
 * max_size  limit of the file in bytes, at least MEMKIND_PMEM_MIN_SIZE,
 *           rounded up to a multiple of 2 MiB; the heap manager's losses count
 *           against it. 0, or more than SSIZE_MAX - 2 MiB: no limit but the
 *           file system's.
 * kind      where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: dir is NULL or not a directory that a file
 *          can be created in (for whatever reason), max_size is not 0 and less
 *          than MEMKIND_PMEM_MIN_SIZE, or kind is NULL;
 *          MEMKIND_ERROR_MMAP: the file cannot be mapped;
 *          MEMKIND_ERROR_ENVIRON: a wrong MEMKIND_ARENA_NUM_PER_KIND;
 *          MEMKIND_ERROR_TOOMANY: MEMKIND_MAX_KIND dynamic kinds are alive;
 *          MEMKIND_ERROR_MALLOC, MEMKIND_ERROR_ARENAS_CREATE: no memory for
 *          the kind's own data;
 *          MEMKIND_ERROR_OPERATION_FAILED: called from inside another call.
 *          Allocations from the kind return NULL with errno ENOMEM when
 *          max_size is reached, the file system is full, or a file of this
 *          process may not be larger (RLIMIT_FSIZE; there is no SIGXFSZ).
 * Threads  thread-safe.
 * Rests on mmap(2) MAP_SHARED; fallocate(2), with FALLOC_FL_PUNCH_HOLE to give
 *          space back; the kernel's Documentation/filesystems/dax.rst.
 */
int memkind_create_pmem(const char *dir, size_t max_size, memkind_t *kind);

/** The description of a file-backed kind, see below. */
struct memkind_config;

/**
 * memkind_create_pmem() with the arguments in a configuration, and with a
 * memory usage policy.
 *
 * cfg      from memkind_config_new(). It is not needed after the call.
 * kind     where the handle is stored on success; not NULL.
 *
 * Returns  as memkind_create_pmem(); also MEMKIND_ERROR_INVALID if cfg is NULL
 *          or holds a value that is not a memory usage policy.
 * Threads  thread-safe, as long as no other thread changes cfg.
 */
int memkind_create_pmem_with_config(struct memkind_config *cfg, memkind_t *kind);

/**
 * Create a kind inside an area of memory that the caller owns.
 *
 * The area can come from anywhere: a static array, mmap(2), a device. What the
 * caller did to it (mbind(2), madvise(2), mlock(2)) stays. The library never
 * maps, unmaps or discards any of it and never touches a byte outside it. The
 * caller may release it after the kind is destroyed, not before. Whole base
 * pages inside the area are used.
 *
 * Under the heap manager JEMALLOC, all bookkeeping is outside the area; under
 * TBB, the headers of its slabs are inside. An area that a child of fork(2)
 * shares with its parent (MAP_SHARED) is one heap for two processes that do not
 * know of each other: only one of them may go on allocating and freeing.
 *
 * addr     start of the area; it must be readable and writable.
 * size     its size in bytes, at least MEMKIND_FIXED_MIN_SIZE.
 * kind     where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: addr is NULL, size is too small or too large
 *          for addr, a part of the area is not mapped or lies in another live
 *          kind (in its area or in one of its blocks), its ends cannot be
 *          written, or kind is NULL;
 *          MEMKIND_ERROR_ENVIRON: a wrong MEMKIND_ARENA_NUM_PER_KIND;
 *          MEMKIND_ERROR_TOOMANY: MEMKIND_MAX_KIND dynamic kinds are alive;
 *          MEMKIND_ERROR_MALLOC, MEMKIND_ERROR_ARENAS_CREATE: no memory for
 *          the kind's own data;
 *          MEMKIND_ERROR_OPERATION_FAILED: called from inside another call.
 *          Allocations from the kind return NULL with errno ENOMEM when the
 *          area is used up.
 * Threads  thread-safe.
 */
int memkind_create_fixed(void *addr, size_t size, memkind_t *kind);

/**
 * How a kind of the caller's own making gets its pages. A region is a run of
 * pages: at least 2 MiB, a multiple of 2 MiB, aligned to at least 2 MiB.
 *
 * The library calls these functions from any thread, from several at once,
 * while it allocates, frees, or destroys the kind, and unmap() also while
 * another kind is used; never after the kind is destroyed. The library may
 * hold locks meanwhile: they must not call it, and must not fork.
 */
struct memkind_page_ops {
    /**
     * A new region.
     *
     * context    as given to memkind_create_custom().
     * size       in bytes.
     * alignment  a power of two, in bytes.
     *
     * Returns  its start; readable, writable, not part of another region, of
     *          any content; NULL: none to be had. A region with a part that
     *          a live kind has is not used, and not unmapped: as if NULL.
     */
    void *(*map)(void *context, size_t size, size_t alignment);

    /**
     * The region is not needed any more: exactly as map() returned it. Called
     * for every region, at the latest when the kind is destroyed.
     */
    void (*unmap)(void *context, void *address, size_t size);

    /**
     * NULL, or: a run of base pages inside a region is not needed for now, and
     * its physical memory may be given back; the pages must stay usable.
     *
     * Returns  0: done, the pages read as zeroes when they are used next;
     *          any other number: not done.
     */
    int (*purge)(void *context, void *address, size_t size);
};

/**
 * Create a kind whose pages come from functions of the caller. Everything
 * else works as for any other kind: caches, arenas, statistics, detection.
 *
 * New in 1.15.0.
 *
 * ops      the functions; copied. map and unmap must not be NULL.
 * context  passed on to them; the library does not look at it.
 * kind     where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: ops, ops->map, ops->unmap or kind is NULL;
 *          MEMKIND_ERROR_ENVIRON: a wrong MEMKIND_ARENA_NUM_PER_KIND;
 *          MEMKIND_ERROR_TOOMANY: MEMKIND_MAX_KIND dynamic kinds are alive;
 *          MEMKIND_ERROR_MALLOC, MEMKIND_ERROR_ARENAS_CREATE: no memory for
 *          the kind's own data;
 *          MEMKIND_ERROR_OPERATION_FAILED: called from inside another call.
 *          Allocations from the kind return NULL with errno ENOMEM when map()
 *          returns NULL.
 * Threads  thread-safe.
 *
 *     static void *map(void *context, size_t size, size_t alignment)
 *     {
 *         return device_take(context, size, alignment);
 *     }
 *     static void unmap(void *context, void *address, size_t size)
 *     {
 *         device_return(context, address, size);
 *     }
 *     ...
 *     struct memkind_page_ops ops = {map, unmap, NULL};
 *     memkind_t kind;
 *     int error = memkind_create_custom(&ops, &device, &kind);
 */
int memkind_create_custom(const struct memkind_page_ops *ops, void *context, memkind_t *kind);

/**
 * Create a kind on NUMA nodes of the caller's choice.
 *
 *   policy                   pages come from
 *   -----------------------  ------------------------------------------------
 *   BIND_ALL                 these nodes, nearest first; no other
 *   BIND_LOCAL               those of them that are nearest to the calling
 *                            CPU; no other
 *   PREFERRED_LOCAL          these nodes, nearest first, then any other
 *   INTERLEAVE_ALL           these nodes in turn, page by page
 *   WEIGHTED_INTERLEAVE_ALL  the same, to each node by its weight
 *
 * New in 1.15.0.
 *
 * nodes    a list of nodes as numactl(8) takes it ("0,2-3", "!1", "+0",
 *          "all"); every one must exist and have memory for this process.
 * policy   see the table.
 * flags    (memkind_bits_t)0 for base pages; MEMKIND_MASK_PAGE_SIZE_2MB, or
 *          (memkind_bits_t)30 for 1 GiB: huge pages, not with interleaving.
 *          They need not be reserved yet.
 * kind     where the handle is stored on success; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: nodes is NULL or no such list, a policy or
 *          flags that are not accepted, or kind is NULL;
 *          MEMKIND_ERROR_UNAVAILABLE: one of the nodes has no memory for this
 *          process;
 *          MEMKIND_ERROR_ENVIRON, MEMKIND_ERROR_TOOMANY, MEMKIND_ERROR_MBIND,
 *          MEMKIND_ERROR_MMAP, MEMKIND_ERROR_MALLOC,
 *          MEMKIND_ERROR_ARENAS_CREATE, MEMKIND_ERROR_OPERATION_FAILED: as
 *          memkind_create_kind().
 * Threads  thread-safe.
 * Rests on mbind(2): MPOL_BIND, MPOL_PREFERRED_MANY (Linux 5.15) or
 *          MPOL_PREFERRED, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE (6.9).
 */
int memkind_create_nodes(const char *nodes, memkind_policy_t policy, memkind_bits_t flags,
                         memkind_t *kind);

/**
 * Destroy a dynamic kind. Everything it still holds is freed: no block of it
 * may be touched afterwards. The file of a file-backed kind is gone; the area
 * of a fixed kind is the caller's again.
 *
 * A later create function may return the same handle; do not keep old ones.
 *
 * kind     from one of the create functions.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: kind is NULL, a static kind, or destroyed
 *          already;
 *          MEMKIND_ERROR_MALLOC: no memory for the calling thread's own data;
 *          MEMKIND_ERROR_OPERATION_FAILED: another thread that is about to
 *          end has not done so for ten seconds (heap manager TBB), or called
 *          from inside another call.
 *          After a failure the kind is as before.
 * Threads  the exception: no other thread may be using the kind, or a block of
 *          it, during this call or after it. Destroying different kinds at the
 *          same time is thread-safe.
 */
int memkind_destroy_kind(memkind_t kind);

/* ------------------------------------------------------------------------
 * Configurations, for memkind_create_pmem_with_config()
 * ------------------------------------------------------------------------ */

/**
 * A new configuration: no path, size 0, MEMKIND_MEM_USAGE_POLICY_DEFAULT.
 *
 * Returns  the configuration, to be given to memkind_config_delete();
 *          NULL, errno ENOMEM: no memory.
 * Threads  thread-safe.
 */
struct memkind_config *memkind_config_new(void);

/**
 * Delete a configuration. Kinds that were made with it are not touched.
 *
 * cfg      from memkind_config_new(), or NULL for nothing to happen.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe, as long as no other thread uses cfg.
 */
void memkind_config_delete(struct memkind_config *cfg);

/**
 * Set the directory of the file, as dir of memkind_create_pmem(). Not checked
 * here.
 *
 * cfg       from memkind_config_new().
 * pmem_dir  path of a directory. The string must stay as it is until the last
 *           create function that uses cfg has returned.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe, as long as no other thread uses cfg.
 */
void memkind_config_set_path(struct memkind_config *cfg, const char *pmem_dir);

/**
 * Set the limit of the file, as max_size of memkind_create_pmem(). Not checked
 * here.
 *
 * cfg        from memkind_config_new().
 * pmem_size  in bytes; 0 for no limit.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe, as long as no other thread uses cfg.
 */
void memkind_config_set_size(struct memkind_config *cfg, size_t pmem_size);

/**
 * Set the memory usage policy. Not checked here.
 *
 * cfg      from memkind_config_new().
 * policy   one of memkind_mem_usage_policy.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe, as long as no other thread uses cfg.
 */
void memkind_config_set_memory_usage_policy(struct memkind_config *cfg,
                                            memkind_mem_usage_policy policy);

/* ------------------------------------------------------------------------
 * Questions about kinds
 * ------------------------------------------------------------------------ */

/**
 * Can this kind be used on this machine? Nodes are checked first, then huge
 * pages.
 *
 * kind     any kind; not NULL.
 *
 *   code                                 kinds that give it
 *   -----------------------------------  ----------------------------------
 *   MEMKIND_SUCCESS                      all
 *   MEMKIND_ERROR_INVALID                NULL
 *   MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE  MEMKIND_HBW..., MEMKIND_LOWEST_...,
 *                                        MEMKIND_HIGHEST_...: no such nodes,
 *                                        or no figures
 *   MEMKIND_ERROR_UNAVAILABLE            MEMKIND_DAX_KMEM...: no such nodes
 *   MEMKIND_ERROR_HUGETLB                kinds of huge pages: none of that
 *                                        size reserved on the nodes
 *   MEMKIND_ERROR_ENVIRON                MEMKIND_HBW..., MEMKIND_DAX_KMEM...:
 *                                        a wrong environment variable
 *   MEMKIND_ERROR_MBIND                  kinds with a policy: the kernel
 *                                        refuses mbind(2)
 *   MEMKIND_ERROR_MMAP                   kinds with a policy: it maps not
 *                                        even a page
 *   MEMKIND_ERROR_OPERATION_FAILED       all: called from inside another call
 *
 * Returns  a code of the table. MEMKIND_SUCCESS does not promise that memory
 *          is free.
 * Threads  thread-safe.
 */
int memkind_check_available(memkind_t kind);

/**
 * How much memory can this kind reach, used or not?
 *
 *   kind                   result
 *   ---------------------  -------------------------------------------------
 *   base pages             MemTotal of the nodes it may use, added up. A
 *                          preferred kind may use all nodes with memory.
 *   huge pages             the reserved pages of that size on these nodes
 *   file-backed            its limit; without one, the size of the file
 *                          system
 *   fixed                  the whole base pages of its area
 *   custom                 MemTotal of all nodes: the library does not know
 *                          how much map() has
 *
 * For a kind that depends on the calling CPU, the nodes are those of the CPU
 * that calls this function.
 *
 * kind     any kind.
 *
 * Returns  bytes;
 *          -1: the kind is not available (memkind_check_available() says why),
 *          or kind is NULL. errno has no meaning.
 * Threads  thread-safe.
 */
ssize_t memkind_get_capacity(memkind_t kind);

/**
 * Can a file-backed kind in this directory use DAX, that is, map the device
 * itself instead of the page cache?
 *
 * pmem_dir  path of a directory that the process may write to.
 *
 * Returns  MEMKIND_SUCCESS: yes;
 *          MEMKIND_ERROR_MMAP: no;
 *          MEMKIND_ERROR_INVALID: pmem_dir is NULL;
 *          MEMKIND_ERROR_RUNTIME: it cannot be tried, for instance because the
 *          directory does not exist or no file can be created in it.
 * Threads  thread-safe.
 * Rests on mmap(2) MAP_SYNC, which only a DAX file accepts (Linux 4.15).
 */
int memkind_check_dax_path(const char *pmem_dir);

/* ------------------------------------------------------------------------
 * Statistics
 * ------------------------------------------------------------------------ */

/**
 * Take new figures for memkind_get_stat(), of all kinds.
 *
 * Threads count for themselves, and nobody adds up until this function is
 * called. It visits all arenas: call it now and then, not for each block.
 * What the calling thread keeps of freed blocks and has not used since the last
 * time is given back (heap manager JEMALLOC).
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_OPERATION_FAILED: the heap manager failed, or has no
 *          statistics.
 * Threads  thread-safe.
 */
int memkind_update_cached_stats(void);

/**
 * One figure, as it was at the last memkind_update_cached_stats().
 *
 * kind     any kind, or NULL for all kinds together.
 * stat     which figure.
 * value    where it is stored on success, in bytes; not NULL.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: stat is not a memkind_stat_type, or value is
 *          NULL;
 *          MEMKIND_ERROR_OPERATION_FAILED: the heap manager failed, or does
 *          not have this figure.
 * Threads  thread-safe.
 */
int memkind_get_stat(memkind_t kind, memkind_stat_type stat, size_t *value);

/**
 * Write all statistics of the heap manager as text.
 *
 * write_cb  called with cbopaque and a piece of the text that ends with NUL,
 *           as often as needed. It should not allocate from this library.
 *           NULL: write to stderr.
 * cbopaque  passed on to write_cb.
 * opts      memkind_stat_print_opt bits.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_INVALID: opts has a bit that is not one of them;
 *          MEMKIND_ERROR_OPERATION_FAILED: the heap manager has no statistics.
 * Threads  thread-safe.
 * Rests on jemalloc's malloc_stats_print(); see jemalloc(3) for the content.
 */
int memkind_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
                        memkind_stat_print_opt opts);

/* ------------------------------------------------------------------------
 * Background threads
 * ------------------------------------------------------------------------ */

/**
 * Let threads of the heap manager give unused pages back, or let the program's
 * own threads do it when they allocate and free (the start value).
 *
 * state    true: background threads run, at most
 *          MEMKIND_BACKGROUND_THREAD_LIMIT of them. false: they end.
 *
 * Returns  MEMKIND_SUCCESS;
 *          MEMKIND_ERROR_OPERATION_FAILED: the threads could not be started or
 *          ended. (TBB has none: MEMKIND_SUCCESS, and a line in the log.)
 * Threads  thread-safe.
 * Rests on jemalloc's background_thread, see jemalloc(3).
 */
int memkind_set_bg_threads(bool state);

/* ------------------------------------------------------------------------
 * Decorators
 *
 * Functions that the program may define, to watch or to change what it asks of
 * the library and what it gets: each is called by the allocation function of
 * its name, the one with _pre before it does anything, the one with _post when
 * it has done everything. One that is not defined is not called.
 *
 * They are only for a library that was built with them (cmake
 * -DMEMKIND_DECORATORS=ON). The usual library has no trace of them: it never
 * calls them, at no cost.
 *
 *   _pre    gets the arguments by reference, as the caller gave them, right or
 *           wrong. The allocation function goes on with what they are then:
 *           with another kind, another size.
 *   _post   gets these arguments as values and the result by reference. What
 *           it is then is what the caller gets. A block that a decorator takes
 *           away from the caller is the decorator's to free, with the kind it
 *           came from.
 *
 * kind            as in the allocation function, or a pointer to it.
 * size, nmemb, alignment, ptr
 *                 the same. In memkind_realloc_post() and memkind_free_post(),
 *                 ptr is the old address, and may be no block any more.
 * memptr          the caller's own, in both: where the block's address belongs.
 *                 In memkind_posix_memalign_post() it is there if *err is 0.
 * result, err     what the allocation function is going to return.
 *
 * Each call of the program leads to the decorators of that function only: a
 * memkind_realloc() that allocates or frees is one memkind_realloc(). Functions
 * on top (hbw_malloc() and the others of hbwmalloc.h) count as the memkind
 * function they use.
 *
 * Returns  nothing. errno: what _pre does to it is undone; what _post leaves is
 *          what the caller finds.
 * Threads  they run in the caller's thread, in several at once. They may call
 *          this library, and thus come back to themselves: who allocates in
 *          memkind_malloc_pre() has to stop that.
 * Rests on weak symbols, see ld(1): a decorator may be in the program, in a
 *          library it is linked to, or in a preloaded one.
 *
 *     void memkind_malloc_post(memkind_t kind, size_t size, void **result)
 *     {
 *         fprintf(stderr, "malloc(%p, %zu) = %p\n", (void *)kind, size, *result);
 *     }
 * ------------------------------------------------------------------------ */

#if defined(__GNUC__)
#pragma GCC visibility push(default) /* the library has to find them */
#endif

/** Before and after memkind_malloc(). */
void memkind_malloc_pre(memkind_t *kind, size_t *size);
void memkind_malloc_post(memkind_t kind, size_t size, void **result);

/** Before and after memkind_calloc(). */
void memkind_calloc_pre(memkind_t *kind, size_t *nmemb, size_t *size);
void memkind_calloc_post(memkind_t kind, size_t nmemb, size_t size, void **result);

/** Before and after memkind_posix_memalign(). */
void memkind_posix_memalign_pre(memkind_t *kind, void **memptr, size_t *alignment, size_t *size);
void memkind_posix_memalign_post(memkind_t kind, void **memptr, size_t alignment, size_t size,
                                 int *err);

/** Before and after memkind_realloc(). */
void memkind_realloc_pre(memkind_t *kind, void **ptr, size_t *size);
void memkind_realloc_post(memkind_t kind, void *ptr, size_t size, void **result);

/** Before and after memkind_free(). */
void memkind_free_pre(memkind_t *kind, void **ptr);
void memkind_free_post(memkind_t kind, void *ptr);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#include "memkind_deprecated.h"
