/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * support: what several test programs need.
 *
 * Include it first. Criterion runs each test in a process of its own, so the library is unused when
 * a test begins. A test that needs more than one first use, another environment or the library's
 * stderr runs a function in a forked child: test_run(). Criterion's assertions work in the test's
 * own process only; a child reports by writing to memory from test_shared().
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#define MEMKIND_DEPRECATED(func) func

#include <criterion/criterion.h>
#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED true /* figures about the whole process mean nothing */
#else
#define TEST_SANITIZED false
#endif

#if defined(__SANITIZE_THREAD__)
#define TEST_THREAD_SANITIZED true
#else
#define TEST_THREAD_SANITIZED false
#endif

#if defined(MEMKIND_TEST_ASSERTIONS)
#define TEST_ASSERTIONS \
    true /* jemalloc looks at all locks that a thread has whenever it takes one */
#else
#define TEST_ASSERTIONS false
#endif

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* An errno that no call in here sets. */
#define TEST_ERRNO 4242

/* Says on stderr why the running test cannot run here, and ends it. */
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* --- environment: for TestSuite(.init = ...) -------------------------------------------------- */

/* The variable that says with which heap manager the tests of a program run; unset: the library's
 * own choice. MEMKIND_HEAP_MANAGER itself belongs to the tests. */
#define TEST_HEAP_MANAGER "MEMKIND_TEST_HEAP_MANAGER"

/* Likewise, how much the library is to check. */
#define TEST_CHECK "MEMKIND_TEST_CHECK"

/* Whether the tests run with the heap manager TBB. */
bool test_tbb(void);

/* No variable of the library is set, but for what TEST_HEAP_MANAGER and TEST_CHECK ask for. */
void test_bare(void);

/* HBW and DAX KMEM nodes are node 0: on a machine of one node, their kinds are available, too. */
void test_with_nodes(void);

/* --- kinds ------------------------------------------------------------------------------------ */

enum test_nodes {
    NODES_PROCESS, /* no policy */
    NODES_CPU,
    NODES_MEMORY,
    NODES_HBW,
    NODES_DAX,
    NODES_LARGEST,
    NODES_LARGEST_LOCAL,
    NODES_LATENCY,
    NODES_BANDWIDTH,
};

/* A static kind, as the table in memkind.h describes it. */
struct test_kind {
    const char *name;
    memkind_t *variable;
    int partition;
    enum test_nodes nodes;
    int policy;       /* MPOL_... of <linux/mempolicy.h>, MPOL_DEFAULT for none */
    size_t page_size; /* 0: base pages */
};

extern const struct test_kind test_kinds[MEMKIND_NUM_BASE_KIND];

/*
 * The first available kind of base pages behind `kind`; NULL begins and ends. This uses the
 * library. Huge pages come and go with what else runs on the machine: see test_pool_set().
 */
const struct test_kind *test_next_kind(const struct test_kind *kind);

/* A kind of the test's own on all nodes, which it may destroy: base pages, or as the flags say. The
 * code of the create function. */
int test_create_kind(memkind_bits_t flags, memkind_t *kind);

/* A kind of a file in that directory; skips the test where nothing can be written there. */
memkind_t test_create_file(const char *directory, size_t limit);

/* --- small files, of sysfs and procfs --------------------------------------------------------- */

/* The text, cut and terminated. False, with an empty text: it cannot be read. */
bool test_read_text(const char *path, char *text, size_t size);
/* The whole number it begins with; 0 where there is none. */
size_t test_read_number(const char *path);
/* False: it cannot be written. */
bool test_write_number(const char *path, size_t number);

/* --- sets of nodes ---------------------------------------------------------------------------- */

#define TEST_NODE_FILES "/sys/devices/system/node"
#define TEST_NODES 1024 /* the kernel's own upper bound */

struct test_mask {
    unsigned long bits[TEST_NODES / (8 * sizeof(unsigned long))];
};

bool test_mask_has(const struct test_mask *mask, int node);
bool test_mask_equal(const struct test_mask *a, const struct test_mask *b);
int test_mask_count(const struct test_mask *mask);

/* The list in a file of /sys/devices/system/node ("online", "has_cpu", "has_memory"). */
struct test_mask test_nodes_file(const char *file);

/* Whether the kernel tells bandwidths and latencies: more kinds may be available, and HBW nodes
 * exist without MEMKIND_HBW_NODES. */
bool test_has_figures(void);

/* Whether a file matches glob(7)'s pattern. */
bool test_exists(const char *pattern);

/* MemTotal of the nodes in bytes, now. */
size_t test_nodes_memory(const struct test_mask *mask);

/* --- content ---------------------------------------------------------------------------------- */

/* Fills a block with bytes that depend on the seed and on the position. */
void test_fill(void *block, size_t size, uint64_t seed);
/* Whether the block still begins with `size` bytes of that. */
bool test_holds(const void *block, size_t size, uint64_t seed);
bool test_is_zero(const void *block, size_t size);

/* The next number of a sequence; never starts at 0. */
uint64_t test_random(uint64_t *state);

/* --- children --------------------------------------------------------------------------------- */

struct test_child {
    int status;         /* as waitpid(2) gives it */
    size_t lines;       /* on stderr */
    char errors[65536]; /* stderr, terminated, cut */
};

/* Runs function(argument) in a forked child with its own environment ("NAME=value", or "NAME" to
 * unset it; ends with NULL; NULL for no change) and waits for it. */
void test_run(struct test_child *child, void (*function)(void *argument), void *argument,
              const char *const environment[]);

/* The same, and the test fails unless the child returned from the function. */
void test_run_well(struct test_child *child, void (*function)(void *argument), void *argument,
                   const char *const environment[]);

/* Zeroed memory that children and the test share. */
void *test_shared(size_t size);

/* Whether a line of `text` matches the extended regular expression. */
bool test_line(const char *text, const char *expression);

/* From now on, `call` fails with `error` in this process when its argument number `index` is at
 * least `least`. Skips the test where seccomp(2) is not to be had. */
void test_refuse(long call, int error, int index, uint64_t least);

/* From now on, mmap() of huge pages fails with ENOMEM in this process and its children: whatever a
 * pool has is left to other tests. */
void test_refuse_huge_pages(void);

/* --- what the kernel says --------------------------------------------------------------------- */

struct test_mapping {
    uintptr_t start, end;
    size_t page_size; /* KernelPageSize */
    char name[256];
    char flags[256]; /* VmFlags */
};

/* The mapping that an address is in. False: there is none. */
bool test_find_mapping(const void *address, struct test_mapping *mapping);

/* Node of the page at an address, or a negative errno. */
int test_page_node(void *address);

/* Memory policy of the mapping at an address. */
int test_policy(void *address, struct test_mask *nodes);

/* Whether a page is mapped at the address. */
bool test_is_mapped(const void *address);

size_t test_resident(void); /* VmRSS in bytes */
/* How far that may be from the truth: Linux 6.1 counts pages of a thread by 64 at a time. */
#define TEST_RESIDENT_UNSURE (64 * (size_t)sysconf(_SC_PAGESIZE))
size_t test_virtual(void); /* VmSize in bytes */
#define TEST_HEAP_PAGE \
    ((size_t)1 << MEMKIND_LG_PAGE) /* jemalloc's, which may be larger than the kernel's */

size_t test_mappings(void);                   /* lines of /proc/self/maps */
size_t test_mappings_named(const char *name); /* those with the text in them */
size_t test_descriptors(void);
size_t test_threads(void); /* of this process */
/* The same once there are `count`, or after ten seconds: one that has been joined may still be on
 * its way out of the kernel. */
size_t test_threads_after(size_t count);

/* --- time ------------------------------------------------------------------------------------- */

/* The library's clock jumps ahead in this process, so that unused memory gets old. */
void test_jump(long seconds);

/* The library's clock stands still from now on, but for jumps: what is counted does not depend on
 * how long a test takes. */
void test_stop_clock(void);

/* The clock jumps, and the kind is used until its unused pages are given back. */
void test_decay(memkind_t kind);

/* A figure of now; NULL: of all kinds. */
size_t test_kind_stat(memkind_t kind, memkind_stat_type type);
size_t test_kind_resident(memkind_t kind);
size_t test_kind_allocated(memkind_t kind);

/* --- huge pages ------------------------------------------------------------------------------- */

/*
 * Makes the machine's pool of huge pages of that size exactly `count` pages, all on node 0 and all
 * free. Skips the test where that cannot be done. One test at a time, on the whole machine, holds
 * the pools; what they were before is restored when the test ends, however it ends.
 */
void test_pool_set(size_t page_size, size_t count);

/* The same, but where it cannot be done, says why. NULL: it is done. */
const char *test_pool_try(size_t page_size, size_t count);

/* Pages in the pool that are neither used nor reserved by a mapping. */
size_t test_pool_free(size_t page_size);
/* Pages of the pool that are in use and not by this process: other tests use kinds of huge pages,
 * too. */
size_t test_pool_of_others(size_t page_size);

/* Pages that the kernel may add to the pool when they are asked for. After test_pool_set(). */
void test_pool_overcommit(size_t page_size, size_t count);

/* For TestSuite(.fini = ...): restores the pools now. */
void test_pool_restore(void);

#ifdef __cplusplus
}
#endif
