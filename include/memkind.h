/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind.h
 * @brief The malloc family with a first argument that says which memory to use.
 *
 * A machine may have several sorts of memory: the ordinary one, a small fast
 * one on the processor package, a large slow one, huge pages, a file on a
 * persistent device. A *kind* is a handle for one of them: a set of NUMA nodes
 * (or a file, or an area of the caller), a rule for what to do when those are
 * full, a page size, and a heap that hands out blocks of that memory. Each
 * kind has a heap of its own; blocks of two kinds never share a page.
 *
 * Some kinds exist from the start (#MEMKIND_DEFAULT, #MEMKIND_HBW, ...). Others
 * are created by the program.
 *
 * @code{.c}
 * #include <memkind.h>
 * int main(void)
 * {
 *     memkind_t kind = MEMKIND_HBW_PREFERRED;
 *     if (memkind_check_available(kind) != MEMKIND_SUCCESS)
 *         kind = MEMKIND_DEFAULT;
 *     double *v = (double *)memkind_calloc(kind, 1000, sizeof(*v));
 *     memkind_free(kind, v);
 *     return v ? 0 : 1;
 * }
 * @endcode
 *
 * Build it with `cc example.c -lmemkind`.
 *
 * This header is the manual. Its groups are @ref memkind_rules,
 * @ref memkind_shortage, @ref memkind_environment, @ref memkind_types,
 * @ref memkind_errors, @ref memkind_static_kinds, @ref memkind_blocks,
 * @ref memkind_block_questions, @ref memkind_create, @ref memkind_config,
 * @ref memkind_kind_questions, @ref memkind_statistics and
 * @ref memkind_decorators; old names are in @ref memkind_deprecated.
 */

/**
 * @defgroup memkind_rules Words and general rules
 * @brief What the words mean, and what holds for every function.
 *
 * @par Words
 *
 * - **kind**: a handle for one sort of memory, of type memkind_t. A *static*
 *   kind exists from the start to the end; a *dynamic* kind comes from one of the
 *   functions under @ref memkind_create.
 * - **heap manager**: the allocator that cuts pages into blocks. There are two,
 *   JEMALLOC and TBB. One is chosen for the whole process, at first use, by
 *   the environment variable MEMKIND_HEAP_MANAGER.
 * - **arena**: a part of a kind's heap with locks and free lists of its own. A
 *   kind has several, made when they are needed, so that threads do not wait
 *   for each other. (The heap manager TBB has pools in their place.)
 * - **locality domain**: the CPUs that have the same memory nodes nearby.
 *   "Local" and "nearest" always mean: seen from the CPU on which the calling
 *   thread runs at the time of the call.
 * - **page source**: what gives a kind its pages: anonymous memory with a memory
 *   policy, huge pages, a file, an area that the caller owns, or functions of
 *   the caller.
 * - **nodemask**: a set of NUMA nodes, as mbind(2) takes it.
 * - **base page**: a page of the size that `sysconf(_SC_PAGESIZE)` gives, 4 KiB
 *   on x86-64.
 * - **HBW**: high-bandwidth memory. How it is found is said under
 *   @ref memkind_static_kinds.
 * - **DAX KMEM node**: a memory node made of a dax device (persistent memory,
 *   CXL memory) by the kernel's driver kmem.
 *
 * @par Threads
 * Every function may be called from any thread at any time, with these
 * exceptions: while a kind is destroyed, and afterwards, no other thread may
 * use it or a block of it; only one thread at a time may work on a block; only
 * one thread at a time may change a struct memkind_config, which is plain data.
 * A block may be freed by another thread than the one that allocated it. After
 * fork(2), the child can allocate from every kind and free to it; handlers of
 * pthread_atfork(3) may use every function. Signal handlers must not allocate or
 * free. No function is a cancellation point.
 *
 * @par Start
 * Nothing happens when the library is loaded, but that handlers for fork(2) are
 * registered. The machine is looked at, and environment variables are read, when
 * the first call needs them; a program may set them in `main()`.
 *
 * @par Size 0
 * A request for 0 bytes returns NULL and leaves errno alone: it is not an error.
 * memkind_set_allow_zero_allocs() changes that for one kind.
 *
 * @par Failure
 * A failure is a return value, never an `abort()`. An allocation that fails
 * returns NULL with errno ENOMEM; this includes sizes that are too large and
 * kinds that are not available. Functions that return int give #MEMKIND_SUCCESS
 * (0) or one of the negative `MEMKIND_ERROR_` codes; only
 * memkind_posix_memalign() returns an errno value instead. With MEMKIND_DEBUG=1,
 * each failure is also one line on stderr.
 *
 * @par errno
 * It has a meaning only after a call whose description says that the call sets
 * it, and only if that call failed.
 *
 * @par NULL as kind
 * Functions that make a new block need a kind: with NULL, they fail with EINVAL.
 * Functions that are given a block accept NULL and find the kind from the
 * address, in constant time and without a lock. A kind other than NULL must be
 * the one the block came from.
 *
 * @par Freed blocks
 * Each thread keeps some of the blocks that it freed at hand, for its next
 * allocations: under JEMALLOC up to 3 MiB of a kind (for each node it ran on,
 * where the kind's nodes depend on that), of blocks up to 32 KiB, and 64 KiB
 * where #MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE is set. It gives back what it does
 * not use, while it allocates or when it calls memkind_update_cached_stats(),
 * and the rest when it ends.
 *
 * @par Foreign pointers
 * A pointer that the library never returned belongs to no kind:
 * memkind_detect_kind() gives NULL, memkind_malloc_usable_size() gives 0,
 * memkind_free() does nothing, memkind_realloc() does nothing and returns NULL
 * with errno EINVAL. With MEMKIND_DEBUG=1 there is a line on stderr. Freeing the
 * same block twice is undefined, as it is with free(3); MEMKIND_CHECK finds it.
 * With MEMKIND_CHECK=1 two cases are found, told on stderr and ignored: a thread
 * frees a block that is the last one of its size that it has freed, and somebody
 * frees a pointer into a block. The first is always found by JEMALLOC; both are
 * always found of blocks beyond 32 KiB, with TBB 8 KiB.
 *
 * @par What it rests on
 * Arenas and thread caches: J. Evans, "A Scalable Concurrent malloc(3)
 * Implementation for FreeBSD", BSDCan 2006 (jemalloc). Memory pools of the other
 * heap manager: oneTBB's scalable allocator (libtbbmalloc). Placement: mbind(2),
 * described in the kernel's
 * `Documentation/admin-guide/mm/numa_memory_policy.rst`. Huge pages:
 * `Documentation/admin-guide/mm/hugetlbpage.rst`. What the kernel tells about the
 * speed of nodes: `Documentation/admin-guide/mm/numaperf.rst`.
 */

/**
 * @defgroup memkind_shortage When memory is short
 * @brief What each policy does when a kind's nodes are full.
 *
 * The outcome depends on the kind's policy, and on when the kernel provides
 * pages. Base pages are provided when they are first written, huge pages when
 * the library maps a region.
 *
 * - **Policy none, base pages**: the kernel uses any node that the process may
 *   use.
 * - **Policy bind, base pages**: no other node is used; the kernel reclaims and
 *   swaps pages of these nodes. An allocation returns NULL with errno ENOMEM when
 *   the nodes have no room beside what the heap was given before and did not
 *   write yet. What other processes take later cannot be foreseen: the kernel's
 *   out-of-memory killer then ends a process at the first write of a page. Kinds
 *   bound to all nodes of the process are not watched: there, memory runs out as
 *   with malloc(3). In a container whose memory is limited (memory cgroups of
 *   version 2 or 1, all levels that are visible), the same holds for that limit
 *   and all kinds with this policy: ENOMEM where the limit, less what is in use,
 *   leaves no room.
 * - **Policy preferred, base pages**: the kernel uses other nodes, nearest first.
 * - **Policy interleave, base pages**: the kernel takes a page that is due to a
 *   full node from the nearest node with room, whether or not that one is in the
 *   set.
 * - **Policy none or bind, huge pages**: NULL with errno ENOMEM.
 * - **Policy preferred, huge pages**: huge pages of other nodes; NULL with errno
 *   ENOMEM when there are none.
 *
 * In all cases the result is NULL with errno ENOMEM when the kernel refuses to
 * map more memory (address space, overcommit, RLIMIT_AS, the mapping count
 * vm.max_map_count). Huge pages are populated when a region is mapped, so that
 * exhaustion is NULL with ENOMEM and never a SIGBUS. That holds for what a child
 * of fork(2) allocates, too: its blocks lie in huge pages of its own. Blocks of
 * before the fork are the kernel's copies, each made when parent or child first
 * writes to its page; when the machine has no huge page left for that, the parent
 * keeps the page, and the child gets SIGBUS for it. So a child should copy what it
 * needs of them to other memory. Its free of such a block does nothing, its
 * realloc copies. File-backed and fixed kinds
 * return NULL with ENOMEM at their limit; files in memory (tmpfs) also at that of
 * the container. For the other kinds of base pages, a container's limit is what it
 * is for malloc(3): the kernel ends a process at the first write of a page.
 *
 * A container may refuse mbind(2). Then kinds with the policies bind and
 * interleave are not available, and preferred kinds prefer no node, which
 * MEMKIND_DEBUG=1 says. Where other calls are refused (mincore, fallocate), the
 * library does without.
 */

/**
 * @defgroup memkind_environment Environment variables
 * @brief What a user may set without changing the program.
 *
 * | Variable                        | Accepted         | When it is not set                   |
 * | ------------------------------- | ---------------- | ------------------------------------ |
 * | MEMKIND_HEAP_MANAGER            | JEMALLOC, TBB    | JEMALLOC                             |
 * | MEMKIND_HBW_NODES               | a list of nodes  | HBW nodes are found                  |
 * | MEMKIND_DAX_KMEM_NODES          | a list of nodes  | DAX KMEM nodes are found             |
 * | MEMKIND_HBW_THRESHOLD           | MB/s             | compared with ordinary memory        |
 * | MEMKIND_ARENA_NUM_PER_KIND      | 1 to 4094        | the library chooses                  |
 * | MEMKIND_HOG_MEMORY              | 0, 1             | 0                                    |
 * | MEMKIND_BACKGROUND_THREADS      | 0, 1             | 0                                    |
 * | MEMKIND_BACKGROUND_THREAD_LIMIT | 1 and more       | no limit                             |
 * | MEMKIND_CHECK                   | 0, 1, 2          | 0                                    |
 * | MEMKIND_DEBUG                   | 0, 1             | 0                                    |
 *
 * They are read once, at first use, with secure_getenv(3): a set-user-ID program
 * ignores them. A wrong value is always reported by one line on stderr that
 * names the variable, its value and what is accepted. An empty value is a wrong
 * value.
 *
 * - **MEMKIND_HEAP_MANAGER** names the heap manager of the process. A wrong value
 *   means JEMALLOC, and so does TBB if libtbbmalloc cannot be loaded, with a line
 *   on stderr.
 * - **MEMKIND_HBW_NODES** and **MEMKIND_DAX_KMEM_NODES** are lists of existing
 *   nodes as numactl(8) takes them, such as `0,2-3`. With a wrong value, kinds of
 *   these nodes report #MEMKIND_ERROR_ENVIRON.
 * - **MEMKIND_HBW_THRESHOLD** is the bandwidth from which on a node has high
 *   bandwidth, a whole number of MB/s. Without it, the relative rule under
 *   @ref memkind_static_kinds counts. With a wrong value, the HBW kinds report
 *   #MEMKIND_ERROR_ENVIRON, unless MEMKIND_HBW_NODES or the processor's model says
 *   which nodes these are.
 * - **MEMKIND_ARENA_NUM_PER_KIND** is the upper bound of arenas for each kind.
 *   With a wrong value, the functions that create kinds return
 *   #MEMKIND_ERROR_ENVIRON, and static kinds work as if it were not set.
 * - **MEMKIND_HOG_MEMORY**: with 1, no memory goes back to the system before the
 *   end of its kind. A wrong value means 0.
 * - **MEMKIND_BACKGROUND_THREADS**: with 1, a thread of the library gives unused
 *   memory back from the first use on, as after memkind_set_bg_threads(). A wrong
 *   value means 0.
 * - **MEMKIND_BACKGROUND_THREAD_LIMIT** is the upper bound of background threads. The
 *   library has one at the most. A wrong value means no limit.
 * - **MEMKIND_CHECK**: with 1, one of 50,000 blocks stands alone between pages that
 *   nobody can touch: misuse of it is told on stderr, with back traces. A touch is
 *   SIGSEGV, whose handler calls the one that was there before the library's first
 *   use. With 2, every block is checked, for tests: writes outside
 *   of blocks and into freed ones, blocks that are freed twice, that are none, or
 *   that are never freed are told on stderr, with back traces. Everything is
 *   slower and larger, and memkind_malloc_usable_size() is the size that was asked
 *   for. A wrong value means 0.
 * - **MEMKIND_DEBUG**: with 1, the library writes what it sees, chooses and fails
 *   at to stderr. A wrong value means 0.
 */

#pragma once

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup memkind_types Types and limits
 * @brief The handle of a kind, what a new kind is described with, and limits.
 *
 * @par Threads
 * These are values. Any thread may copy a handle.
 *
 * @{
 */

#ifndef MEMKIND_MALLOC_USABLE_SIZE_CONST
/**
 * The qualifier of the pointer that memkind_malloc_usable_size() takes: empty,
 * unless a program defines it before it includes this header. (FreeBSD's
 * `malloc_usable_size()` takes a pointer to const, Linux's does not.)
 */
#define MEMKIND_MALLOC_USABLE_SIZE_CONST
#endif

/** The handle of a kind. */
typedef struct memkind *memkind_t;

/** Limits of the library. */
enum memkind_const {
    /** Number of dynamic kinds that can be alive at the same time. It is the length of
     *  arrays in programs, so it never changes. */
    MEMKIND_MAX_KIND = 512,

    /** Bytes that hold every text of memkind_error_message(), with its NUL. */
    MEMKIND_ERROR_MESSAGE_SIZE = 128,

    /** Smallest size limit of a file-backed kind, in bytes: 16 MiB. */
    MEMKIND_PMEM_MIN_SIZE = (1024 * 1024 * 16),

    /** Smallest area of a fixed kind, in bytes: 4 KiB, or a base page. New in 1.15.0. */
    MEMKIND_FIXED_MIN_SIZE = (1024 * 4)
};

/** @} */

/**
 * @defgroup memkind_errors Error codes and version
 * @brief What functions that return int return, and how to say it in words.
 *
 * @par Threads
 * All functions of this group are thread-safe.
 *
 * @{
 */

/**
 * Success, or why a function failed. memkind_error_message() turns a code into
 * text.
 */
enum {
    /** It worked. */
    MEMKIND_SUCCESS = 0,

    /** The kind does not exist on this machine: it has no DAX KMEM node, or a
     *  node that was named has no memory. */
    MEMKIND_ERROR_UNAVAILABLE = -1,

    /** The kernel refused mbind(2), as the seccomp filters of containers do
     *  (EPERM), or lacks it (ENOSYS). Not for preferred kinds, which do
     *  without. */
    MEMKIND_ERROR_MBIND = -2,

    /** The kernel refused mmap(2): of a file in a directory, or of even a
     *  single page. */
    MEMKIND_ERROR_MMAP = -3,

    /** There is no memory for the library's own data. */
    MEMKIND_ERROR_MALLOC = -6,

    /** An environment variable has a wrong value, see @ref memkind_environment. */
    MEMKIND_ERROR_ENVIRON = -12,

    /** An argument is wrong. */
    MEMKIND_ERROR_INVALID = -13,

    /** #MEMKIND_MAX_KIND dynamic kinds are alive already. */
    MEMKIND_ERROR_TOOMANY = -15,

    /** This library never returns it; the name is kept for old programs. */
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

/** @} */

/**
 * @addtogroup memkind_types
 * @{
 */

/* Gone again below, and so not a name of the library. */
#define _MEMKIND_BIT(N) (1ull << (N))

/**
 * Memory types for memkind_create_kind(). They are bits and can be combined;
 * C++ needs a cast: `(memkind_memtype_t)(A | B)`.
 */
typedef enum memkind_memtype_t {
    /** Ordinary memory: what the process gets without this library. */
    MEMKIND_MEMTYPE_DEFAULT = _MEMKIND_BIT(0),

    /** High-bandwidth memory. It exists only in comparison: the machine must
     *  have memories of different bandwidth (or MEMKIND_HBW_NODES is set). */
    MEMKIND_MEMTYPE_HIGH_BANDWIDTH = _MEMKIND_BIT(1)
} memkind_memtype_t;

#undef _MEMKIND_BIT

/** Placement policies for memkind_create_kind() and memkind_create_nodes(). */
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
     *  administrator's in `/sys/kernel/mm/mempolicy/weighted_interleave`, or the
     *  kernel's own from bandwidths. For memkind_create_nodes() only. mbind(2)
     *  MPOL_WEIGHTED_INTERLEAVE since Linux 6.9; before that, as
     *  #MEMKIND_POLICY_INTERLEAVE_ALL. New in 1.15.0. */
    MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL
} memkind_policy_t;

/**
 * Flags for memkind_create_kind() and memkind_create_nodes(). Bits 0 to 7 are
 * the base-2 logarithm of the page size; 0 there means base pages. Pass
 * `(memkind_bits_t)0` for no flag.
 */
typedef enum memkind_bits_t {
    /** Pages of 2 MiB (2 to the power of 21 bytes) from hugetlbfs, see
     *  MAP_HUGE_2MB in mmap(2). */
    MEMKIND_MASK_PAGE_SIZE_2MB = 21ull,

    /** For memkind_create_nodes(), with a page size or without: the kind's pages
     *  are left out of core dumps, see MADV_DONTDUMP in madvise(2). That is for
     *  secrets, and for what would make a dump too large. Memory of which the
     *  kernel does not accept it is not used. Of a file-backed kind:
     *  memkind_config_set_core_dump(). C++ needs a cast. New in 1.15.0. */
    MEMKIND_MASK_NO_CORE_DUMP = 1ull << 8
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

/** @} */

/**
 * @defgroup memkind_static_kinds Static kinds
 * @brief Kinds that exist from the start.
 *
 * | Kind                                        | Nodes                 | Policy     | Pages |
 * | ------------------------------------------- | --------------------- | ---------- | ----- |
 * | #MEMKIND_DEFAULT                            | as the process        | none       | base  |
 * | #MEMKIND_REGULAR                            | with CPUs             | bind       | base  |
 * | #MEMKIND_INTERLEAVE                         | all with memory       | interleave | base  |
 * | #MEMKIND_HUGETLB                            | as the process        | none       | 2 MiB |
 * | #MEMKIND_HBW                                | HBW, nearest          | bind       | base  |
 * | #MEMKIND_HBW_ALL                            | HBW, all              | bind       | base  |
 * | #MEMKIND_HBW_PREFERRED                      | HBW, nearest          | preferred  | base  |
 * | #MEMKIND_HBW_HUGETLB                        | HBW, nearest          | bind       | 2 MiB |
 * | #MEMKIND_HBW_ALL_HUGETLB                    | HBW, all              | bind       | 2 MiB |
 * | #MEMKIND_HBW_PREFERRED_HUGETLB              | HBW, nearest          | preferred  | 2 MiB |
 * | #MEMKIND_HBW_INTERLEAVE                     | HBW, all              | interleave | base  |
 * | #MEMKIND_DAX_KMEM                           | DAX, nearest          | bind       | base  |
 * | #MEMKIND_DAX_KMEM_ALL                       | DAX, all              | bind       | base  |
 * | #MEMKIND_DAX_KMEM_PREFERRED                 | DAX, nearest          | preferred  | base  |
 * | #MEMKIND_DAX_KMEM_INTERLEAVE                | DAX, all              | interleave | base  |
 * | #MEMKIND_HIGHEST_CAPACITY                   | largest               | bind       | base  |
 * | #MEMKIND_HIGHEST_CAPACITY_PREFERRED         | largest               | preferred  | base  |
 * | #MEMKIND_HIGHEST_CAPACITY_LOCAL             | local, largest        | bind       | base  |
 * | #MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED   | local, largest        | preferred  | base  |
 * | #MEMKIND_LOWEST_LATENCY_LOCAL               | local, quickest       | bind       | base  |
 * | #MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED     | local, quickest       | preferred  | base  |
 * | #MEMKIND_HIGHEST_BANDWIDTH_LOCAL            | local, best bandwidth | bind       | base  |
 * | #MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED  | local, best bandwidth | preferred  | base  |
 * | #MEMKIND_GBTLB (deprecated)                 | as the process        | none       | 1 GiB |
 * | #MEMKIND_HBW_GBTLB (deprecated)             | HBW, nearest          | bind       | 1 GiB |
 * | #MEMKIND_HBW_PREFERRED_GBTLB (deprecated)   | HBW, nearest          | preferred  | 1 GiB |
 *
 * The column *Nodes* says:
 *
 * - **as the process**: the nodes that the process's own policy allows, see
 *   set_mempolicy(2).
 * - **with CPUs**: no HBW-only, DAX or other nodes without CPUs. Where no node has
 *   both CPUs and memory, all nodes that are neither HBW nor DAX KMEM nodes.
 * - **all with memory**: all nodes that have memory, but not that of a GPU (a node
 *   of its own on POWER9 and Grace Hopper): that belongs to a kind only where a
 *   variable or memkind_create_nodes() names its node.
 * - **HBW**: high-bandwidth nodes. The first of these that says anything decides:
 *   1. the nodes of MEMKIND_HBW_NODES;
 *   2. where bandwidths are known, with MEMKIND_HBW_THRESHOLD set: nodes of at
 *      least that bandwidth;
 *   3. on an A64FX, an MI300A or a Xeon Max without other memory: all nodes;
 *   4. where bandwidths are known: nodes without CPUs, and nodes of memory that the
 *      firmware reserves for a purpose, that have more than twice the bandwidth of
 *      the ordinary memory, that of nodes with CPUs, as seen from the same CPUs; or
 *      at least 204800 MB/s and one and a half times it. Never CXL and persistent
 *      memory;
 *   5. on a Knights Landing, Knights Mill or Xeon Max: nodes without CPUs that are
 *      no larger than its HBM.
 * - **DAX**: DAX KMEM nodes, those of MEMKIND_DAX_KMEM_NODES or, when that is not
 *   set, the target nodes of the dax devices that the driver kmem holds.
 * - **nearest**: the nodes at the shortest distance, of equal ones those that the
 *   firmware puts nearest to the CPU's node.
 * - **all**: each of them; for a bound kind the kernel takes each page from the
 *   one nearest to the CPU that first writes it.
 * - **largest**: the nodes with the most memory (MemTotal) of the whole machine.
 * - **local**: the memory of the CPU's own node, or the nearest of another node
 *   with CPUs where it has none, and the nodes without CPUs that the firmware, or
 *   else the distances, put nearest to it. Of these, the nodes with the most
 *   memory (largest), the lowest latency (quickest) or the highest bandwidth
 *   (best bandwidth, even if it is ordinary memory). Where no bandwidths are known
 *   to compare, those have the best that step 3 or 5 above finds.
 *
 * Several nodes can be equally near, large or quick: the kind then uses all of
 * them. Bandwidths and latencies are what the kernel publishes for each node
 * below `/sys/devices/system/node`, from ACPI HMAT and, for CXL memory, from the
 * device (Linux 6.8): `access1` or, without that and if CPUs see it, `access0`.
 * The machine is looked at when it is first needed, and anew when nodes come or go
 * or memkind_refresh() is called.
 *
 * The column *Policy* says what mbind(2) tells the kernel: nothing (none),
 * MPOL_BIND (bind), MPOL_INTERLEAVE, page by page in turn (interleave), or
 * MPOL_PREFERRED_MANY (preferred). A kernel before Linux 5.15 gets MPOL_PREFERRED
 * with the lowest-numbered node in place of the last. What happens when the nodes
 * are full is under @ref memkind_shortage.
 *
 * The column *Pages* says base pages, or huge pages from the pool that the
 * administrator reserves (`vm.nr_hugepages` for 2 MiB; `hugepagesz=1G
 * hugepages=N` at boot, or `nr_hugepages` below
 * `/sys/kernel/mm/hugepages/hugepages-1048576kB`, for 1 GiB): mmap(2) MAP_HUGETLB
 * with MAP_HUGE_2MB or MAP_HUGE_1GB. A block may have any size; the heap takes
 * whole pages for it.
 *
 * @par Kinds that are not available
 * They still are valid handles. Allocations from them, including those from a
 * preferred kind, return NULL with errno ENOMEM, and memkind_check_available()
 * says why; its table has the reasons of each kind. #MEMKIND_DEFAULT is always
 * available.
 *
 * @par Threads
 * Each kind may be used by any number of threads at once.
 *
 * Each of these is a data symbol that dlsym(3) can read. Do not assign to it.
 *
 * @{
 */

/**
 * @name Ordinary memory
 * @{
 */

/** A static kind for ordinary memory: its row in the table says which. */
extern memkind_t MEMKIND_DEFAULT;
extern memkind_t MEMKIND_REGULAR;
extern memkind_t MEMKIND_INTERLEAVE;
extern memkind_t MEMKIND_HUGETLB;

/** @} */

/**
 * @name High-bandwidth memory
 * @{
 */

/** A static kind for high-bandwidth memory: its row in the table says which. */
extern memkind_t MEMKIND_HBW;
extern memkind_t MEMKIND_HBW_ALL;
extern memkind_t MEMKIND_HBW_PREFERRED;
extern memkind_t MEMKIND_HBW_HUGETLB;
extern memkind_t MEMKIND_HBW_ALL_HUGETLB;
extern memkind_t MEMKIND_HBW_PREFERRED_HUGETLB;
extern memkind_t MEMKIND_HBW_INTERLEAVE;

/** @} */

/**
 * @name DAX and CXL memory
 * @{
 */

/** A static kind for DAX KMEM nodes: its row in the table says which. */
extern memkind_t MEMKIND_DAX_KMEM;
extern memkind_t MEMKIND_DAX_KMEM_ALL;
extern memkind_t MEMKIND_DAX_KMEM_PREFERRED;
extern memkind_t MEMKIND_DAX_KMEM_INTERLEAVE;

/** @} */

/**
 * @name The best memory by a figure
 * @{
 */

/** A static kind for the nodes that are best by a figure: its row in the table says which. */
extern memkind_t MEMKIND_HIGHEST_CAPACITY;
extern memkind_t MEMKIND_HIGHEST_CAPACITY_PREFERRED;
extern memkind_t MEMKIND_HIGHEST_CAPACITY_LOCAL;
extern memkind_t MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED;
extern memkind_t MEMKIND_LOWEST_LATENCY_LOCAL;
extern memkind_t MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED;
extern memkind_t MEMKIND_HIGHEST_BANDWIDTH_LOCAL;
extern memkind_t MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED;

/** @} */

/** @} */

/**
 * @addtogroup memkind_errors
 * @{
 */

/**
 * Tells the version of the library that runs. It cannot fail.
 *
 * @return major * 1000000 + minor * 1000 + patch, so 1015000 for 1.15.0.
 */
int memkind_get_version(void);

/**
 * Writes the English text of a code to a buffer. It cannot fail.
 *
 * @param err   a code of this header. Any other number gives a text that says so
 *              and contains the number.
 * @param msg   the buffer.
 * @param size  its size in bytes. #MEMKIND_ERROR_MESSAGE_SIZE is always enough. A
 *              longer text is cut; if size is not 0, the result ends with NUL.
 */
void memkind_error_message(int err, char *msg, size_t size);

/** @} */

/**
 * @defgroup memkind_blocks Allocating and freeing blocks
 * @brief The malloc family, with the kind as first argument.
 *
 * A block is aligned for every object that fits into it.
 *
 * The heap manager has arenas as in Evans 2006, with a cache for each thread and
 * kind. Blocks are placed by mbind(2), which is done once for each region of
 * 2 MiB or more.
 *
 * @par Threads
 * All functions of this group are thread-safe, but only one thread at a time may
 * work on a block. A block may be freed by another thread than the one that
 * allocated it; it returns to the arena it came from.
 *
 * @{
 */

/**
 * Allocates a block. Its content is undefined.
 *
 * @param kind  where the block comes from; not NULL.
 * @param size  in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: size is 0 (but see memkind_set_allow_zero_allocs()).
 *   - errno ENOMEM: there is no memory, the size is too large (more than
 *     PTRDIFF_MAX), or the kind is not available.
 *   - errno EINVAL: kind is NULL.
 */
void *memkind_malloc(memkind_t kind, size_t size);

/**
 * Allocates a block for an array, and sets all its bytes to zero.
 *
 * @param kind  where the block comes from; not NULL.
 * @param num   number of elements.
 * @param size  size of an element in bytes.
 *
 * @return The block, or NULL:
 *   - errno untouched: num or size is 0 (but see
 *     memkind_set_allow_zero_allocs()).
 *   - errno ENOMEM: there is no memory, num * size is too large or not
 *     representable, or the kind is not available.
 *   - errno EINVAL: kind is NULL.
 */
void *memkind_calloc(memkind_t kind, size_t num, size_t size);

/**
 * Allocates a block at a multiple of an alignment. Its content is undefined.
 *
 * The alignment is checked before everything else; a wrong one is an error
 * even if size is 0.
 *
 * @param kind       where the block comes from; not NULL.
 * @param memptr     where the address of the block is stored. On error, *memptr
 *                   is left alone.
 * @param alignment  in bytes: a power of two, not less than `sizeof(void *)`.
 * @param size       in bytes. 0 stores NULL and returns 0 (but see
 *                   memkind_set_allow_zero_allocs()).
 *
 * @return An errno value and no `MEMKIND_ERROR_` code; errno itself is never
 *   changed:
 *   - 0: *memptr is the block.
 *   - EINVAL: the alignment is wrong, or kind is NULL.
 *   - ENOMEM: there is no memory, the size or the alignment is too large, or the
 *     kind is not available.
 */
int memkind_posix_memalign(memkind_t kind, void **memptr, size_t alignment, size_t size);

/**
 * Changes the size of a block. The content is kept up to the smaller of both
 * sizes; bytes beyond the old size are undefined. The block may move. It stays
 * in its kind. An alignment larger than memkind_malloc() gives may be lost.
 *
 * | kind | ptr     | size | The call is the same as                             |
 * | ---- | ------- | ---- | --------------------------------------------------- |
 * | any  | block   | > 0  | the operation described here                        |
 * | any  | block   | 0    | memkind_free(kind, ptr); it returns NULL            |
 * | K    | NULL    | any  | memkind_malloc(K, size)                             |
 * | NULL | NULL    | any  | an error: NULL, errno EINVAL                        |
 * | any  | foreign | any  | an error: NULL, errno EINVAL; nothing is freed      |
 *
 * @param kind  the kind of ptr, or NULL to have it found from ptr.
 * @param ptr   a block, or NULL.
 * @param size  the new size in bytes.
 *
 * @return The block of the new size; ptr is no longer valid unless it is the same
 *   address. Or NULL:
 *   - errno untouched: size is 0, and the block is freed (also if
 *     memkind_set_allow_zero_allocs() is on for the kind).
 *   - errno ENOMEM: there is no memory, or the size is too large; ptr stays
 *     valid, with its content.
 *   - errno EINVAL: see the table.
 */
void *memkind_realloc(memkind_t kind, void *ptr, size_t size);

/**
 * Frees a block. It cannot fail: a pointer that is not of this library is left
 * alone, with a log line if MEMKIND_DEBUG is 1. errno is left alone.
 *
 * @param kind  the kind of ptr, or NULL to have it found from ptr.
 * @param ptr   a block, or NULL for nothing to happen.
 */
void memkind_free(memkind_t kind, void *ptr);

/**
 * Decides what a request for 0 bytes gives in a kind.
 *
 * Off (the start value): NULL. On: memkind_malloc(), memkind_calloc(),
 * memkind_posix_memalign() and memkind_realloc() with a NULL pointer give a
 * block of the smallest size, to be freed like any other. A memkind_realloc()
 * of a block to 0 bytes frees it in both cases. Calls that run meanwhile see the
 * old or the new value. New in 1.15.0.
 *
 * @param kind               any kind, static or dynamic; not NULL.
 * @param allow_zero_allocs  true for on, false for off.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: kind is NULL.
 */
int memkind_set_allow_zero_allocs(memkind_t kind, bool allow_zero_allocs);

/** @} */

/**
 * @defgroup memkind_block_questions Questions about blocks
 * @brief The size and the kind of a block.
 *
 * The kind of a block is found from its address in constant time, without a lock.
 *
 * @par Threads
 * All functions of this group are thread-safe, as long as no other thread frees
 * the block meanwhile.
 *
 * @{
 */

/**
 * Tells the number of bytes that can be used in a block: at least the size asked
 * for.
 *
 * @param kind  the kind of ptr, or NULL to have it found from ptr.
 * @param ptr   a block, or NULL.
 *
 * @return The number of bytes; 0 if ptr is NULL or not of this library. errno is
 *   not set.
 */
size_t memkind_malloc_usable_size(memkind_t kind, MEMKIND_MALLOC_USABLE_SIZE_CONST void *ptr);

/**
 * Tells which kind a block comes from.
 *
 * @param ptr  a block, or any other pointer. An address inside a block, other
 *             than its start, may give the kind or NULL.
 *
 * @return The kind; NULL if ptr is NULL or not of this library. errno is not set.
 */
memkind_t memkind_detect_kind(void *ptr);

/** @} */

/**
 * @defgroup memkind_create Creating and destroying kinds
 * @brief Dynamic kinds: of a memory type, on nodes, in a file, in an area, or from
 * functions of the program.
 *
 * At most #MEMKIND_MAX_KIND of them can be alive at the same time. Each has a heap
 * of its own. A function that fails to create a kind leaves nothing behind.
 *
 * @par Threads
 * Creating kinds is thread-safe, as long as no other thread changes a
 * configuration that is given. Destroying different kinds at the same time is
 * thread-safe; but no other thread may use a kind, or a block of it, while it is
 * destroyed or afterwards.
 *
 * @{
 */

/**
 * Gives the static kind of memory types and a policy, if this machine has it.
 *
 * | memtype_flags            | policy          | The kind                | With 2 MiB pages |
 * | ------------------------ | --------------- | ----------------------- | ---------------- |
 * | DEFAULT                  | PREFERRED_LOCAL | #MEMKIND_DEFAULT        | yes              |
 * | HIGH_BANDWIDTH           | BIND_LOCAL      | #MEMKIND_HBW            | yes              |
 * | HIGH_BANDWIDTH           | BIND_ALL        | #MEMKIND_HBW_ALL        | yes              |
 * | HIGH_BANDWIDTH           | PREFERRED_LOCAL | #MEMKIND_HBW_PREFERRED  | yes              |
 * | HIGH_BANDWIDTH           | INTERLEAVE_ALL  | #MEMKIND_HBW_INTERLEAVE | no               |
 * | DEFAULT, HIGH_BANDWIDTH  | INTERLEAVE_ALL  | #MEMKIND_INTERLEAVE     | no               |
 *
 * The table leaves out the prefixes `MEMKIND_MEMTYPE_` and `MEMKIND_POLICY_`. With
 * #MEMKIND_MASK_PAGE_SIZE_2MB, it is the kind with `_HUGETLB` in its name
 * (#MEMKIND_HUGETLB for #MEMKIND_DEFAULT).
 *
 * Where there are no HBW nodes or no huge pages, the rows of PREFERRED_LOCAL give
 * #MEMKIND_DEFAULT, and the other rows that need them fail.
 *
 * As in libmemkind 1.14.0, nothing is created, however often the function is
 * called: all callers share the kind's heap, and memkind_destroy_kind() leaves it
 * alone. For a heap of one's own, which is thrown away in one go, there is
 * memkind_create_nodes(), with the nodes `"all"` for instance.
 *
 * @param memtype_flags  one or more of memkind_memtype_t.
 * @param policy         one of memkind_policy_t.
 * @param flags          `(memkind_bits_t)0` for base pages, or
 *                       #MEMKIND_MASK_PAGE_SIZE_2MB in the rows that say so.
 * @param kind           where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: the combination is not in the table, or kind is
 *     NULL.
 *   - #MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE: there are no HBW nodes or no huge
 *     pages, see above.
 *   - #MEMKIND_ERROR_ENVIRON: MEMKIND_ARENA_NUM_PER_KIND is wrong or, with
 *     HIGH_BANDWIDTH, MEMKIND_HBW_NODES or MEMKIND_HBW_THRESHOLD.
 *   - #MEMKIND_ERROR_MBIND: the kernel refuses mbind(2).
 *   - #MEMKIND_ERROR_MMAP: the kernel maps not even a page.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_create_kind(memkind_memtype_t memtype_flags, memkind_policy_t policy,
                        memkind_bits_t flags, memkind_t *kind);

/**
 * Creates a kind whose memory is a file: a "PMEM" kind.
 *
 * The file is created in a directory and has no name there (open(2) O_TMPFILE, or
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
 * Allocations from the kind return NULL with errno ENOMEM when max_size is
 * reached, the file system is full, or a file of this process may not be larger
 * (RLIMIT_FSIZE; there is no SIGXFSZ).
 *
 * The function rests on mmap(2) MAP_SHARED and fallocate(2), with
 * FALLOC_FL_PUNCH_HOLE to give space back; see the kernel's
 * `Documentation/filesystems/dax.rst`.
 *
 * @param dir       path of a directory that the process may write to.
 * @param max_size  limit of the file in bytes, at least #MEMKIND_PMEM_MIN_SIZE,
 *                  rounded up to a multiple of 2 MiB; the heap manager's losses
 *                  count against it. 0, or more than SSIZE_MAX - 2 MiB: no limit
 *                  but the file system's.
 * @param kind      where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: dir is NULL or not a directory that a file can be
 *     created in (for whatever reason), max_size is not 0 and less than
 *     #MEMKIND_PMEM_MIN_SIZE, or kind is NULL.
 *   - #MEMKIND_ERROR_MMAP: the file cannot be mapped.
 *   - #MEMKIND_ERROR_ENVIRON: MEMKIND_ARENA_NUM_PER_KIND is wrong.
 *   - #MEMKIND_ERROR_TOOMANY: #MEMKIND_MAX_KIND dynamic kinds are alive.
 *   - #MEMKIND_ERROR_MALLOC, #MEMKIND_ERROR_ARENAS_CREATE: there is no memory for
 *     the kind's own data.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_create_pmem(const char *dir, size_t max_size, memkind_t *kind);

struct memkind_config;

/**
 * Creates a file-backed kind as memkind_create_pmem() does, with the arguments in
 * a configuration and with a memory usage policy.
 *
 * @param cfg   from memkind_config_new(). It is not needed after the call.
 * @param kind  where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: cfg is NULL or holds a value that is not a memory
 *     usage policy, or as for memkind_create_pmem().
 *   - #MEMKIND_ERROR_MMAP, #MEMKIND_ERROR_ENVIRON, #MEMKIND_ERROR_TOOMANY,
 *     #MEMKIND_ERROR_MALLOC, #MEMKIND_ERROR_ARENAS_CREATE,
 *     #MEMKIND_ERROR_OPERATION_FAILED: as for memkind_create_pmem().
 */
int memkind_create_pmem_with_config(struct memkind_config *cfg, memkind_t *kind);

/**
 * Creates a kind inside an area of memory that the caller owns.
 *
 * The area can come from anywhere: a static array, mmap(2), a device. What the
 * caller did to it (mbind(2), madvise(2), mlock(2)) stays. The library never
 * maps, unmaps or discards any of it and never touches a byte outside it. The
 * caller may release it after the kind is destroyed, not before. Whole base
 * pages inside the area are used. Allocations from the kind return NULL with
 * errno ENOMEM when the area is used up.
 *
 * Under the heap manager JEMALLOC, all bookkeeping is outside the area. It hands
 * out blocks of pages that are 64 KiB where the library is built for 64-bit ARM
 * or POWER, unless the build says otherwise, and 4 KiB elsewhere: an area that
 * holds no such page, aligned to its size, serves nothing. Under TBB, the headers
 * of its slabs are inside. libtbbmalloc wants a MiB and more at a time: areas
 * below 16 MiB are served without it, each block behind 16 bytes, and threads
 * that use the same area take turns. An area that a child of fork(2)
 * shares with its parent (MAP_SHARED) is one heap for two processes that do not
 * know of each other: only one of them may go on allocating and freeing.
 *
 * @param addr  start of the area; it must be readable and writable.
 * @param size  its size in bytes, at least #MEMKIND_FIXED_MIN_SIZE.
 * @param kind  where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: addr is NULL, size is too small or too large for
 *     addr, no whole base page is inside, a part of the area is not mapped or lies
 *     in another live kind (in its area or in one of its blocks), its ends cannot
 *     be written, or kind is NULL.
 *   - #MEMKIND_ERROR_ENVIRON: MEMKIND_ARENA_NUM_PER_KIND is wrong.
 *   - #MEMKIND_ERROR_TOOMANY: #MEMKIND_MAX_KIND dynamic kinds are alive.
 *   - #MEMKIND_ERROR_MALLOC, #MEMKIND_ERROR_ARENAS_CREATE: there is no memory for
 *     the kind's own data.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_create_fixed(void *addr, size_t size, memkind_t *kind);

/**
 * How a kind of the caller's own making gets its pages. A region is a run of
 * pages: at least 2 MiB, a multiple of 2 MiB, aligned to at least 2 MiB.
 *
 * The library calls these functions from any thread, from several at once,
 * while it allocates, frees, or destroys the kind, and unmap() also while
 * another kind is used; never after the kind is destroyed. The library may
 * hold locks meanwhile: they must not call it, and must not fork. One that does
 * call it gets blocks of a reserve of 64 MiB in all, which nobody gets again;
 * what it frees stays; functions that return a code of this header return
 * #MEMKIND_ERROR_OPERATION_FAILED.
 */
struct memkind_page_ops {
    /**
     * Gives a new region.
     *
     * @param context    as given to memkind_create_custom().
     * @param size       in bytes.
     * @param alignment  a power of two, in bytes.
     *
     * @return Its start: readable, writable, not part of another region, of any
     *   content. NULL: none is to be had. A region that is not aligned, not
     *   mapped, or goes beyond the address space (48 bits) is given back by
     *   unmap(); one with a part that a live kind has, aligned or not, is not used,
     *   and not unmapped. Both are as if NULL, and MEMKIND_DEBUG=1 says so.
     */
    void *(*map)(void *context, size_t size, size_t alignment);

    /**
     * Takes back a region that is not needed any more. It is called for every
     * region, at the latest when the kind is destroyed.
     *
     * @param context  as given to memkind_create_custom().
     * @param address  start of the region, exactly as map() returned it.
     * @param size     of the whole region, in bytes.
     */
    void (*unmap)(void *context, void *address, size_t size);

    /**
     * NULL, or: a run of base pages inside a region is not needed for now, and
     * its physical memory may be given back; the pages must stay usable.
     *
     * @param context  as given to memkind_create_custom().
     * @param address  start of the first page.
     * @param size     in bytes, whole base pages.
     *
     * @return 0: done, the pages read as zeroes when they are used next. Any
     *   other number: not done.
     */
    int (*purge)(void *context, void *address, size_t size);
};

/**
 * Creates a kind whose pages come from functions of the caller. Everything
 * else works as for any other kind: caches, arenas, statistics, detection.
 * Allocations from the kind return NULL with errno ENOMEM when map() returns
 * NULL. New in 1.15.0.
 *
 * @code{.c}
 * static void *map(void *context, size_t size, size_t alignment)
 * {
 *     return device_take(context, size, alignment);
 * }
 * static void unmap(void *context, void *address, size_t size)
 * {
 *     device_return(context, address, size);
 * }
 * ...
 * struct memkind_page_ops ops = {map, unmap, NULL};
 * memkind_t kind;
 * int error = memkind_create_custom(&ops, &device, &kind);
 * @endcode
 *
 * @param ops      the functions; copied. map and unmap must not be NULL.
 * @param context  passed on to them; the library does not look at it.
 * @param kind     where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: ops, ops->map, ops->unmap or kind is NULL.
 *   - #MEMKIND_ERROR_ENVIRON: MEMKIND_ARENA_NUM_PER_KIND is wrong.
 *   - #MEMKIND_ERROR_TOOMANY: #MEMKIND_MAX_KIND dynamic kinds are alive.
 *   - #MEMKIND_ERROR_MALLOC, #MEMKIND_ERROR_ARENAS_CREATE: there is no memory for
 *     the kind's own data.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_create_custom(const struct memkind_page_ops *ops, void *context, memkind_t *kind);

/**
 * Creates a kind on NUMA nodes of the caller's choice. New in 1.15.0.
 *
 * | policy                  | Pages come from                                          |
 * | ----------------------- | -------------------------------------------------------- |
 * | BIND_ALL                | these nodes, nearest first; no other                     |
 * | BIND_LOCAL              | those of them nearest to the calling CPU; no other       |
 * | PREFERRED_LOCAL         | these nodes, nearest first, then any other               |
 * | INTERLEAVE_ALL          | these nodes in turn, page by page                        |
 * | WEIGHTED_INTERLEAVE_ALL | the same, to each node by its weight                     |
 *
 * The table leaves out the prefix `MEMKIND_POLICY_`. The function rests on
 * mbind(2): MPOL_BIND, MPOL_PREFERRED_MANY (Linux 5.15) or MPOL_PREFERRED,
 * MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE (6.9); for huge pages on mmap(2)
 * MAP_HUGETLB, populated with madvise(2) MADV_POPULATE_WRITE (Linux 5.14).
 *
 * @param nodes   a list of nodes as numactl(8) takes it ("0,2-3", "!1", "+0",
 *                "all"); every one must exist and have memory for this process.
 * @param policy  see the table.
 * @param flags   `(memkind_bits_t)0` for base pages; #MEMKIND_MASK_PAGE_SIZE_2MB, or
 *                `(memkind_bits_t)30` for 1 GiB: huge pages, not with
 *                interleaving. They need not be reserved yet; as long as there
 *                are none, allocations return NULL with errno ENOMEM. With
 *                #MEMKIND_MASK_NO_CORE_DUMP or without.
 * @param kind    where the handle is stored on success; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: nodes is NULL or no such list, the policy or the
 *     flags are not accepted, or kind is NULL.
 *   - #MEMKIND_ERROR_UNAVAILABLE: one of the nodes has no memory for this process.
 *   - #MEMKIND_ERROR_ENVIRON: MEMKIND_ARENA_NUM_PER_KIND is wrong.
 *   - #MEMKIND_ERROR_TOOMANY: #MEMKIND_MAX_KIND dynamic kinds are alive.
 *   - #MEMKIND_ERROR_MBIND: the kernel refuses mbind(2).
 *   - #MEMKIND_ERROR_MMAP: the kernel maps not even a page.
 *   - #MEMKIND_ERROR_MALLOC, #MEMKIND_ERROR_ARENAS_CREATE: there is no memory for
 *     the kind's own data.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_create_nodes(const char *nodes, memkind_policy_t policy, memkind_bits_t flags,
                         memkind_t *kind);

/**
 * Destroys a dynamic kind. Everything it still holds is freed: no block of it
 * may be touched afterwards. The file of a file-backed kind is gone; the area
 * of a fixed kind is the caller's again. A static kind stays as it is.
 *
 * A later create function may return the same handle; do not keep old ones.
 *
 * @param kind  from one of the create functions. No other thread may be using it,
 *              or a block of it, during this call or after it.
 *
 * @return #MEMKIND_SUCCESS, or a code, and the kind is as before:
 *   - #MEMKIND_ERROR_INVALID: kind is NULL or no live kind.
 *   - #MEMKIND_ERROR_MALLOC: there is no memory for the calling thread's own data.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: another thread that is about to end has not
 *     done so for ten seconds (heap manager TBB), or it was called from inside
 *     another call.
 */
int memkind_destroy_kind(memkind_t kind);

/** @} */

/**
 * @defgroup memkind_config Configurations of file-backed kinds
 * @brief What memkind_create_pmem_with_config() takes: `struct memkind_config`.
 *
 * A configuration is plain data: the directory of the file, its limit, and a
 * memory usage policy. None of the three is checked before a kind is created.
 *
 * @par Threads
 * All functions of this group are thread-safe, as long as no other thread uses
 * the same configuration.
 *
 * @{
 */

/**
 * Makes a new configuration: no path, size 0, #MEMKIND_MEM_USAGE_POLICY_DEFAULT.
 *
 * @return The configuration, to be given to memkind_config_delete(). NULL with
 *   errno ENOMEM: there is no memory.
 */
struct memkind_config *memkind_config_new(void);

/**
 * Deletes a configuration. Kinds that were made with it are not touched. It cannot
 * fail.
 *
 * @param cfg  from memkind_config_new(), or NULL for nothing to happen.
 */
void memkind_config_delete(struct memkind_config *cfg);

/**
 * Sets the directory of the file, as the first argument of memkind_create_pmem().
 * It cannot fail.
 *
 * @param cfg       from memkind_config_new().
 * @param pmem_dir  path of a directory. The string must stay as it is until the
 *                  last create function that uses cfg has returned.
 */
void memkind_config_set_path(struct memkind_config *cfg, const char *pmem_dir);

/**
 * Sets the limit of the file, as the second argument of memkind_create_pmem(). It
 * cannot fail.
 *
 * @param cfg        from memkind_config_new().
 * @param pmem_size  in bytes; 0 for no limit.
 */
void memkind_config_set_size(struct memkind_config *cfg, size_t pmem_size);

/**
 * Sets the memory usage policy. It cannot fail.
 *
 * @param cfg     from memkind_config_new().
 * @param policy  one of memkind_mem_usage_policy.
 */
void memkind_config_set_memory_usage_policy(struct memkind_config *cfg,
                                            memkind_mem_usage_policy policy);

/**
 * Sets whether the kind's pages are part of core dumps, as those of a file without
 * a name are by default (core(5)). If not: MADV_DONTDUMP, see madvise(2). New in
 * 1.15.0.
 *
 * @param cfg        a configuration, or NULL for nothing to happen.
 * @param core_dump  true, which is the start value, or false.
 */
void memkind_config_set_core_dump(struct memkind_config *cfg, bool core_dump);

/** @} */

/**
 * @defgroup memkind_kind_questions Questions about kinds
 * @brief Whether a kind can be used on this machine, and how much it can hold.
 *
 * @par Threads
 * All functions of this group are thread-safe.
 *
 * @{
 */

/**
 * Tells whether a kind can be used on this machine. Nodes are checked first, then
 * huge pages. Success does not promise that memory is free.
 *
 * @param kind  any kind; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: kind is NULL.
 *   - #MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE: a kind of HBW nodes, and there are
 *     none; or MEMKIND_LOWEST_LATENCY_... or MEMKIND_HIGHEST_BANDWIDTH_..., and
 *     the kernel publishes no such figures or, with other local nodes to choose
 *     from, none of the CPU's own node.
 *   - #MEMKIND_ERROR_UNAVAILABLE: a kind of DAX KMEM nodes, and there are none; or of
 *     memkind_create_nodes(), and its nodes have all gone.
 *   - #MEMKIND_ERROR_HUGETLB: a kind of huge pages, and none of that size are
 *     reserved on its nodes (for a preferred kind: on any node).
 *   - #MEMKIND_ERROR_ENVIRON: a kind of HBW nodes, and MEMKIND_HBW_NODES or
 *     MEMKIND_HBW_THRESHOLD is wrong; or a kind of DAX KMEM nodes, and
 *     MEMKIND_DAX_KMEM_NODES is wrong.
 *   - #MEMKIND_ERROR_MBIND: a kind with the policy bind or interleave, and the
 *     kernel refuses mbind(2).
 *   - #MEMKIND_ERROR_MMAP: a kind with a policy, and the kernel maps not even a
 *     page.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_check_available(memkind_t kind);

/**
 * Looks at the machine anew, after NUMA nodes came or went (memory that was brought
 * online or offline, CXL regions, daxctl(1)) or the nodes of the process's cpuset
 * changed. From its return on, every answer and every region of memory that a kind
 * takes is by what was true after the call began. New in 1.15.0.
 *
 * Without it the library notices changes by itself, up to ten seconds later. Either
 * way:
 *
 * - Blocks stay valid. Their pages stay where they are, or where the kernel has moved
 *   them; pages of a kind that are touched later come from its nodes of now.
 * - A kind whose nodes have all gone says so (memkind_check_available()), and has new
 *   blocks only as long as memory that it has already lasts. One that just prefers
 *   them goes on with any other node.
 * - A kind that depends on the calling CPU tells the CPUs of its first use apart,
 *   however many come later.
 * - The environment is not read again.
 *
 * A call that finds nothing changed costs a few files to read, and keeps nothing.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_MMAP: there is no memory for what is found.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: the kernel's files cannot be read for want of
 *     descriptors or memory; or it was called from inside another call. What was
 *     known stays.
 */
int memkind_refresh(void);

/**
 * Tells how much memory a kind can reach, used or not.
 *
 * | Kind        | Result                                                               |
 * | ----------- | -------------------------------------------------------------------- |
 * | base pages  | MemTotal of the nodes that it may use; of all if it is preferred     |
 * | huge pages  | the reserved pages of that size on these nodes                       |
 * | file-backed | its limit; without one, the size of the file system                  |
 * | fixed       | the whole base pages of its area                                     |
 * | custom      | MemTotal of all nodes: nobody knows how much map() has               |
 *
 * A lower limit of memkind_set_limit() is the result instead.
 *
 * For a kind that depends on the calling CPU, the nodes are those of the CPU
 * that calls this function.
 *
 * @param kind  any kind.
 *
 * @return Bytes. -1: the kind is not available (memkind_check_available() says
 *   why), or kind is NULL. errno has no meaning.
 */
ssize_t memkind_get_capacity(memkind_t kind);

/**
 * Limits how much memory a kind takes from the system, besides what its file,
 * area or nodes have. An allocation that would need more is NULL with ENOMEM.
 *
 * What counts is what the kind has mapped, in regions of 2 MiB and more (a
 * kind of huge pages: of a page), or of 64 KiB and more of a file or an area.
 * Nearly all of that can be used; in a kind of base pages, what was freed counts
 * until its region is empty. The limit is never exceeded. If it is lower than
 * what the kind has already, the kind keeps that, and gets nothing more until
 * it has less. Better set before the first block: a kind with a limit takes
 * smaller regions. memkind_get_capacity() tells the limit. In the child of a
 * fork(2) it goes on to hold. New in 1.15.0.
 *
 * @param kind   any kind, static or dynamic; not NULL. A static one is made
 *               ready, as by its first block.
 * @param limit  bytes, at most SSIZE_MAX; 0: no limit.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: kind is NULL, or limit is too large.
 *   - what memkind_check_available() returns: the kind is not available.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it was called from inside another call.
 */
int memkind_set_limit(memkind_t kind, size_t limit);

/**
 * Tells whether a file-backed kind in a directory can use DAX, that is, map the
 * device itself instead of the page cache. It rests on mmap(2) MAP_SYNC, which
 * only a DAX file accepts (Linux 4.15).
 *
 * @param pmem_dir  path of a directory that the process may write to.
 *
 * @return #MEMKIND_SUCCESS if it can, or
 *   - #MEMKIND_ERROR_MMAP: it cannot.
 *   - #MEMKIND_ERROR_INVALID: pmem_dir is NULL.
 *   - #MEMKIND_ERROR_RUNTIME: it cannot be tried, for instance because the
 *     directory does not exist or no file can be created in it.
 */
int memkind_check_dax_path(const char *pmem_dir);

/** @} */

/**
 * @defgroup memkind_statistics Statistics, defragmentation and background threads
 * @brief How much memory the heaps have, and how they give it back.
 *
 * @par Threads
 * All functions of this group are thread-safe. Only one thread at a time may
 * work on a block that memkind_defrag_reallocate() moves.
 *
 * @{
 */

/** Figures for memkind_get_stat(). Each is a number of bytes. */
typedef enum memkind_stat_type {
    /** Pages that may be in physical memory, at most: blocks, the heap
     *  manager's own data, and freed pages not given back yet. */
    MEMKIND_STAT_TYPE_RESIDENT = 0,

    /** Pages that hold at least one block; a multiple of the page size.
     *  (TBB: as ALLOCATED, rounded up. What is more than blocks in pages that hold
     *  some is what memkind_defrag_reallocate() could mend, and TBB moves nothing.) */
    MEMKIND_STAT_TYPE_ACTIVE = 1,

    /** Blocks, counted with their usable size. What threads keep at hand of
     *  freed blocks is not among them. */
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

/**
 * Takes new figures for memkind_get_stat(), of all kinds.
 *
 * Threads count for themselves, and nobody adds up until this function is
 * called. It visits all arenas: call it now and then, not for each block.
 * What the calling thread keeps of freed blocks and has not used since the last
 * time is given back (heap manager JEMALLOC).
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_OPERATION_FAILED: the heap manager failed, or has no
 *     statistics.
 */
int memkind_update_cached_stats(void);

/**
 * Tells one figure, as it was at the last memkind_update_cached_stats().
 *
 * @param kind   any kind, or NULL for all kinds together.
 * @param stat   which figure.
 * @param value  where it is stored on success, in bytes; not NULL.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: stat is not a memkind_stat_type, or value is NULL.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: the heap manager failed, or does not have
 *     this figure.
 */
int memkind_get_stat(memkind_t kind, memkind_stat_type stat, size_t *value);

/**
 * Writes all statistics of the heap manager as text. It rests on jemalloc's
 * `malloc_stats_print()`; see jemalloc(3) for the content.
 *
 * @param write_cb  called with cbopaque and a piece of the text that ends with NUL,
 *                  as often as needed. It should not allocate from this library.
 *                  NULL: write to stderr.
 * @param cbopaque  passed on to write_cb.
 * @param opts      memkind_stat_print_opt bits.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_INVALID: opts has a bit that is not one of them.
 *   - #MEMKIND_ERROR_OPERATION_FAILED: the heap manager has no statistics.
 */
int memkind_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
                        memkind_stat_print_opt opts);

/**
 * Moves a block to a fuller page, if that helps to empty the page it is on.
 * Calling this for many blocks lets a fragmented heap shrink.
 *
 * An alignment larger than memkind_malloc() gives may be lost. The function rests
 * on jemalloc's figures about the use of slabs (experimental.utilization).
 *
 * @param kind  the kind of ptr, or NULL to have it found from ptr.
 * @param ptr   a block, or NULL.
 *
 * @return The new block with the same content and size, and ptr is freed. Or NULL:
 *   the block was not moved and ptr stays valid, since a move would not help, or
 *   there is no memory for it, or ptr is NULL or not of this library; errno is as
 *   before. Or NULL with errno ENOTSUP, for every ptr, NULL too: the heap manager
 *   (TBB) moves nothing, and there is no need to try again.
 */
void *memkind_defrag_reallocate(memkind_t kind, void *ptr);

/**
 * Lets a thread of the library give unused pages back, ten seconds after their last
 * use, whatever the program's own threads do. Without it (the start value, unless
 * MEMKIND_BACKGROUND_THREADS is 1) these do that work, a little at a time, when they
 * allocate and free, and a program all of whose threads sleep keeps what it had. It is one
 * thread for all kinds, named "memkind", with all signals blocked, and wakes once a
 * second. In the child of a fork(2) it is started anew when the child has used the
 * library for a while.
 *
 * @param state  true: the thread runs. false: it ends; the call waits for that.
 *
 * @return #MEMKIND_SUCCESS, or
 *   - #MEMKIND_ERROR_OPERATION_FAILED: it could not be started, or was to be ended
 *     by a function of a custom kind that it has called.
 */
int memkind_set_bg_threads(bool state);

/**
 * Gives back to the system, at once, what a kind does not use: pages that it
 * keeps for the next ten seconds, and the freed blocks that threads keep at hand.
 * Of what other threads than the calling one keep, a block of each size stays, and
 * under TBB all does. Whole regions of huge pages, of a program's own functions and
 * of kinds with a limit are unmapped; the addresses of other base pages stay the
 * kind's. It takes as long as the system needs for so many pages; other threads can
 * allocate meanwhile. Under TBB it waits until no thread is ending. New in 1.15.0.
 *
 * @param kind  any kind, static or dynamic; NULL for all.
 *
 * @return How many bytes went back, as far as the calling thread did it; 0 for a
 *   kind that was never used. -1: kind is not a live kind, the function was
 *   called from inside another call, or (TBB) there is no memory, a thread does
 *   not finish its exit, or one was cancelled asynchronously inside a call, which
 *   POSIX does not allow. errno has no meaning.
 */
ssize_t memkind_trim(memkind_t kind);

/** @} */

/**
 * @defgroup memkind_decorators Decorators
 * @brief Functions that the program may define, to watch or change every call.
 *
 * Each is called by the allocation function of its name, the one with `_pre`
 * before it does anything, the one with `_post` when it has done everything. One
 * that is not defined is not called.
 *
 * They are only for a library that was built with them (`cmake
 * -DMEMKIND_DECORATORS=ON`). The usual library has no trace of them: it never
 * calls them, at no cost.
 *
 * - A function with `_pre` gets the arguments by reference, as the caller gave
 *   them, right or wrong. The allocation function goes on with what they are then:
 *   with another kind, another size. What it does to errno is undone.
 * - A function with `_post` gets these arguments as values and the result by
 *   reference. What it is then is what the caller gets, and errno is what it
 *   leaves. A block that a decorator takes away from the caller is the
 *   decorator's to free, with the kind it came from.
 *
 * Each call of the program leads to the decorators of that function only: a
 * memkind_realloc() that allocates or frees is one memkind_realloc(). Functions
 * on top (hbw_malloc() and the others of hbwmalloc.h) count as the memkind
 * function they use.
 *
 * Decorators rest on weak symbols, see ld(1): one may be in the program, in a
 * library it is linked to, or in a preloaded one.
 *
 * @code{.c}
 * void memkind_malloc_post(memkind_t kind, size_t size, void **result)
 * {
 *     fprintf(stderr, "malloc(%p, %zu) = %p\n", (void *)kind, size, *result);
 * }
 * @endcode
 *
 * @par Threads
 * They run in the caller's thread, in several at once. They may call this library,
 * and thus come back to themselves: who allocates in memkind_malloc_pre() has to
 * stop that.
 *
 * @{
 */

#if defined(__GNUC__)
#pragma GCC visibility push(default) /* the library has to find them */
#endif

/**
 * Is called before memkind_malloc().
 *
 * @param kind  the kind asked for, to be changed.
 * @param size  the size asked for in bytes, to be changed.
 */
void memkind_malloc_pre(memkind_t *kind, size_t *size);

/**
 * Is called after memkind_malloc().
 *
 * @param kind    the kind, as memkind_malloc_pre() left it.
 * @param size    the size in bytes, as memkind_malloc_pre() left it.
 * @param result  what is going to be returned, to be changed.
 */
void memkind_malloc_post(memkind_t kind, size_t size, void **result);

/**
 * Is called before memkind_calloc().
 *
 * @param kind   the kind asked for, to be changed.
 * @param nmemb  the number of elements, to be changed.
 * @param size   the size of an element in bytes, to be changed.
 */
void memkind_calloc_pre(memkind_t *kind, size_t *nmemb, size_t *size);

/**
 * Is called after memkind_calloc().
 *
 * @param kind    the kind, as memkind_calloc_pre() left it.
 * @param nmemb   the number of elements, as memkind_calloc_pre() left it.
 * @param size    the size of an element in bytes, as memkind_calloc_pre() left it.
 * @param result  what is going to be returned, to be changed.
 */
void memkind_calloc_post(memkind_t kind, size_t nmemb, size_t size, void **result);

/**
 * Is called before memkind_posix_memalign().
 *
 * @param kind       the kind asked for, to be changed.
 * @param memptr     the caller's own: where the block's address belongs.
 * @param alignment  the alignment asked for in bytes, to be changed.
 * @param size       the size asked for in bytes, to be changed.
 */
void memkind_posix_memalign_pre(memkind_t *kind, void **memptr, size_t *alignment, size_t *size);

/**
 * Is called after memkind_posix_memalign().
 *
 * @param kind       the kind, as memkind_posix_memalign_pre() left it.
 * @param memptr     the caller's own; the block's address is there if *err is 0.
 * @param alignment  the alignment in bytes, as memkind_posix_memalign_pre() left it.
 * @param size       the size in bytes, as memkind_posix_memalign_pre() left it.
 * @param err        what is going to be returned, to be changed.
 */
void memkind_posix_memalign_post(memkind_t kind, void **memptr, size_t alignment, size_t size,
                                 int *err);

/**
 * Is called before memkind_realloc().
 *
 * @param kind  the kind asked for, to be changed.
 * @param ptr   the block, to be changed.
 * @param size  the new size in bytes, to be changed.
 */
void memkind_realloc_pre(memkind_t *kind, void **ptr, size_t *size);

/**
 * Is called after memkind_realloc().
 *
 * @param kind    the kind, as memkind_realloc_pre() left it.
 * @param ptr     the old address, which may be no block any more.
 * @param size    the new size in bytes, as memkind_realloc_pre() left it.
 * @param result  what is going to be returned, to be changed.
 */
void memkind_realloc_post(memkind_t kind, void *ptr, size_t size, void **result);

/**
 * Is called before memkind_free().
 *
 * @param kind  the kind that the caller named, to be changed.
 * @param ptr   the block, to be changed.
 */
void memkind_free_pre(memkind_t *kind, void **ptr);

/**
 * Is called after memkind_free().
 *
 * @param kind  the kind, as memkind_free_pre() left it.
 * @param ptr   the old address, which may be no block any more.
 */
void memkind_free_post(memkind_t kind, void *ptr);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

/** @} */

#ifdef __cplusplus
}
#endif

#include "memkind_deprecated.h"
