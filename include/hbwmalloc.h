/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * hbwmalloc.h - malloc for high-bandwidth memory
 * ===============================================
 *
 * The short way to high-bandwidth memory (HBW): functions like those of
 * stdlib.h, and one policy for the whole process. They work on the kinds of
 * memkind.h, whose words and general rules apply here too; how HBW nodes are
 * found is described there, before the static kinds.
 *
 *     #include <hbwmalloc.h>
 *     int main(void)
 *     {
 *         double *v = (double *)hbw_calloc(1000, sizeof(*v));
 *         hbw_free(v);
 *         return v ? 0 : 1;
 *     }
 *
 * Build it with: cc example.c -lmemkind
 *
 * Policy and page size choose the kind:
 *
 *   HBW_POLICY_   4KB             2MB              1GB, 1GB_STRICT
 *   ------------  --------------  ---------------  --------------------
 *   BIND          HBW             HBW_HUGETLB      HBW_GBTLB
 *   BIND_ALL      HBW_ALL         HBW_ALL_HUGETLB  EINVAL
 *   PREFERRED     HBW_PREFERRED   HBW_PREFERRED_   HBW_PREFERRED_GBTLB
 *                                 HUGETLB
 *   INTERLEAVE    HBW_INTERLEAVE  EINVAL           EINVAL
 *
 * hbw_malloc(), hbw_calloc() and hbw_posix_memalign() use the column 4KB. On a
 * machine without HBW nodes, PREFERRED uses ordinary memory (MEMKIND_DEFAULT,
 * MEMKIND_HUGETLB, MEMKIND_GBTLB), and the others fail with ENOMEM.
 *
 * All functions are thread-safe. Errors are values of errno.h. A request for 0
 * bytes gives NULL, leaves errno alone, and is no error. Nothing happens at
 * load; environment variables are read at the first call that needs them. A
 * failure never ends the program.
 */

#pragma once

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Where blocks come from, and what happens when that memory is short. "Nearest"
 * means: seen from the CPU of the thread that allocates.
 *
 * With base pages, a bind policy returns NULL with ENOMEM when its nodes have
 * no room beside what the heap was given before and did not write yet, and when
 * the kernel refuses to map more memory. What other processes take later cannot
 * be foreseen: the kernel's out-of-memory killer then ends a process at the
 * first write of a page (see memkind.h). Huge pages are populated when they are
 * mapped: NULL or ENOMEM tells that they are used up.
 */
typedef enum {
    /** Only the nearest HBW nodes. mbind(2) MPOL_BIND. */
    HBW_POLICY_BIND = 1,

    /** The nearest HBW nodes; when they are full, any other node, nearest
     *  first. The default. mbind(2) MPOL_PREFERRED_MANY since Linux 5.15, else
     *  MPOL_PREFERRED. */
    HBW_POLICY_PREFERRED = 2,

    /** All HBW nodes in turn, page by page; the kernel passes over full nodes.
     *  mbind(2) MPOL_INTERLEAVE. */
    HBW_POLICY_INTERLEAVE = 3,

    /** Only HBW nodes, for each page the one nearest to the CPU that first
     *  writes it. mbind(2) MPOL_BIND. */
    HBW_POLICY_BIND_ALL = 4
} hbw_policy_t;

/** Page sizes for hbw_posix_memalign_psize(). */
typedef enum {
    /** Base pages; 4 KiB on x86-64. The kernel may still use transparent huge
     *  pages, if it is set up to. */
    HBW_PAGESIZE_4KB = 1,

    /** Pages of 2 MiB, reserved by the administrator. mmap(2) MAP_HUGE_2MB. */
    HBW_PAGESIZE_2MB = 2,

    /** Pages of 1 GiB for a size that is a multiple of 1 GiB. mmap(2)
     *  MAP_HUGE_1GB. Deprecated. */
    HBW_PAGESIZE_1GB_STRICT = 3,

    /** Pages of 1 GiB for any size; whole pages are taken. mmap(2)
     *  MAP_HUGE_1GB. Deprecated. */
    HBW_PAGESIZE_1GB = 4,

    /** One more than the last page size; not a page size. */
    HBW_PAGESIZE_MAX_VALUE
} hbw_pagesize_t;

/** Flags for hbw_verify_memory_region(). */
enum {
    /** Have all pages of the range provided before they are looked at, as if
     *  the first byte of each was read and written back. */
    HBW_TOUCH_PAGES = (1 << 0)
};

/**
 * Does this machine have HBW nodes?
 *
 * Returns  0: yes;
 *          ENODEV: no, or MEMKIND_HBW_NODES or MEMKIND_HBW_THRESHOLD has a
 *          wrong value, or the kernel refuses mbind(2).
 * Threads  thread-safe.
 */
int hbw_check_available(void);

/**
 * The policy of the process.
 *
 * Returns  the policy; HBW_POLICY_PREFERRED if none was set. Errors: none.
 * Threads  thread-safe.
 */
hbw_policy_t hbw_get_policy(void);

/**
 * Set the policy of the process: once, before the first block is allocated
 * with a function of this header. Such an allocation settles the policy, too.
 *
 * mode     the policy. HBW nodes need not exist.
 *
 * Returns  0: mode is the policy now, or was it already;
 *          EPERM: another policy is settled;
 *          EINVAL: mode is not a policy.
 *          errno is not changed.
 * Threads  thread-safe; of several threads, the first one decides.
 */
int hbw_set_policy(hbw_policy_t mode);

/**
 * Allocate a block. Its content is undefined.
 *
 * size     in bytes.
 *
 * Returns  the block, aligned for every object that fits into size bytes;
 *          NULL, errno untouched: size is 0;
 *          NULL, errno ENOMEM: no memory, size too large (more than
 *          PTRDIFF_MAX), or no HBW nodes and the policy is not
 *          HBW_POLICY_PREFERRED.
 * Threads  thread-safe.
 * Rests on memkind_malloc().
 */
void *hbw_malloc(size_t size);

/**
 * Allocate a block for an array, and set all its bytes to zero.
 *
 * num      number of elements.
 * size     size of an element in bytes.
 *
 * Returns  as hbw_malloc() for num * size bytes; NULL with errno ENOMEM also
 *          if that product is not representable.
 * Threads  thread-safe.
 * Rests on memkind_calloc().
 */
void *hbw_calloc(size_t num, size_t size);

/**
 * Allocate a block at a multiple of alignment. Its content is undefined.
 *
 * The alignment is checked first; a wrong one is an error even if size is 0.
 *
 * memptr     where the address of the block is stored. On error, *memptr is
 *            left alone.
 * alignment  in bytes: a power of two, not less than sizeof(void *).
 * size       in bytes. 0 stores NULL and returns 0.
 *
 * Returns    0: *memptr is the block;
 *            EINVAL: wrong alignment;
 *            ENOMEM: as hbw_malloc(), or the alignment is too large.
 *            errno is never changed.
 * Threads    thread-safe.
 * Rests on   memkind_posix_memalign().
 */
int hbw_posix_memalign(void **memptr, size_t alignment, size_t size);

/**
 * hbw_posix_memalign() with a page size.
 *
 * memptr, alignment, size  as for hbw_posix_memalign().
 * pagesize                 see the table at the top.
 *
 * Returns    0: *memptr is the block, or NULL if size is 0;
 *            EINVAL: wrong alignment; pagesize is none of hbw_pagesize_t;
 *            HBW_POLICY_INTERLEAVE and not HBW_PAGESIZE_4KB;
 *            HBW_POLICY_BIND_ALL and a page size of 1 GiB;
 *            HBW_PAGESIZE_1GB_STRICT and a size that is not a multiple of
 *            1 GiB;
 *            ENOMEM: as hbw_posix_memalign(), or not enough huge pages.
 *            errno is never changed.
 * Threads    thread-safe.
 * Rests on   memkind_posix_memalign(); mmap(2) MAP_HUGE_2MB, MAP_HUGE_1GB,
 *            populated with madvise(2) MADV_POPULATE_WRITE (Linux 5.14).
 */
int hbw_posix_memalign_psize(void **memptr, size_t alignment, size_t size, hbw_pagesize_t pagesize);

/**
 * Change the size of a block. The content is kept up to the smaller of both
 * sizes; bytes beyond the old size are undefined. The block may move. It stays
 * in its kind, with its page size. An alignment larger than hbw_malloc() gives
 * may be lost.
 *
 * ptr      any block of this library, also from memkind.h or from
 *          hbw_posix_memalign_psize(): the kind is found from the address.
 *          NULL: the same as hbw_malloc(size).
 * size     the new size in bytes. 0: the block is freed.
 *
 * Returns  the block of the new size; ptr is no longer valid unless it is the
 *          same address;
 *          NULL, errno untouched: size is 0;
 *          NULL, errno ENOMEM: as hbw_malloc(); ptr stays valid, with its
 *          content;
 *          NULL, errno EINVAL: ptr is not of this library; nothing happens,
 *          with a log line if MEMKIND_DEBUG is 1.
 * Threads  thread-safe; only one thread at a time may work on a block.
 * Rests on memkind_realloc().
 */
void *hbw_realloc(void *ptr, size_t size);

/**
 * Free a block.
 *
 * ptr      any block of this library, also from memkind.h: the kind is found
 *          from the address. NULL: nothing happens. A pointer that is not of
 *          this library is left alone, with a log line if MEMKIND_DEBUG is 1.
 *
 * Returns  nothing. Errors: none.
 * Threads  thread-safe. The block may come from another thread.
 * Rests on memkind_free().
 */
void hbw_free(void *ptr);

/**
 * The number of bytes that can be used in a block: at least the size asked
 * for.
 *
 * ptr      any block of this library, or NULL.
 *
 * Returns  bytes; 0 if ptr is NULL or not of this library.
 * Threads  thread-safe.
 * Rests on memkind_malloc_usable_size().
 */
size_t hbw_malloc_usable_size(void *ptr);

/**
 * Are all pages of a range in high-bandwidth memory now? The kernel is asked
 * for each page, so this is for tests, not for everyday use.
 *
 * addr     start of the range; it need not be a block of this library.
 * size     in bytes. All pages that the range touches are looked at.
 * flags    0 or HBW_TOUCH_PAGES. With it, pages that do not exist yet are
 *          provided first; the content stays the same. Memory for them may run
 *          out, see hbw_policy_t.
 *
 * Returns  0: all are;
 *          -1: at least one is on another node, or does not exist yet (it was
 *          never written), or the machine has no HBW nodes;
 *          EINVAL: addr is NULL, size is 0, or flags has an unknown bit;
 *          EFAULT: it cannot be found out: a part of the range is not mapped
 *          (with HBW_TOUCH_PAGES: not writable), or the kernel does not tell.
 * Threads  thread-safe; the range must stay mapped during the call.
 * Rests on move_pages(2), which tells the node of each page when it is given
 *          no nodes to move to; for HBW_TOUCH_PAGES madvise(2)
 *          MADV_POPULATE_WRITE (Linux 5.14), which gives an error code and not
 *          a signal.
 */
int hbw_verify_memory_region(void *addr, size_t size, int flags);

#ifdef __cplusplus
}
#endif
