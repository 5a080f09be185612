/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file hbwmalloc.h
 * @brief The malloc family for high-bandwidth memory.
 */

/**
 * @defgroup hbwmalloc High-bandwidth memory: hbwmalloc.h
 * @brief Functions like those of stdlib.h, and one policy for the whole process.
 *
 * This is the short way to high-bandwidth memory (HBW). The functions work on the
 * kinds of memkind.h, whose words and general rules apply here too; how HBW nodes
 * are found is described under @ref memkind_static_kinds.
 *
 * @code{.c}
 * #include <hbwmalloc.h>
 * int main(void)
 * {
 *     double *v = (double *)hbw_calloc(1000, sizeof(*v));
 *     hbw_free(v);
 *     return v ? 0 : 1;
 * }
 * @endcode
 *
 * Build it with `cc example.c -lmemkind`.
 *
 * Policy and page size choose the kind. The table leaves out the prefixes
 * `HBW_POLICY_`, `HBW_PAGESIZE_` and `MEMKIND_`:
 *
 * | Policy     | 4KB            | 2MB                   | 1GB, 1GB_STRICT     |
 * | ---------- | -------------- | --------------------- | ------------------- |
 * | BIND       | HBW            | HBW_HUGETLB           | HBW_GBTLB           |
 * | BIND_ALL   | HBW_ALL        | HBW_ALL_HUGETLB       | HBW_GBTLB           |
 * | PREFERRED  | HBW_PREFERRED  | HBW_PREFERRED_HUGETLB | HBW_PREFERRED_GBTLB |
 * | INTERLEAVE | HBW_INTERLEAVE | EINVAL                | EINVAL              |
 *
 * hbw_malloc(), hbw_calloc() and hbw_posix_memalign() use the column 4KB. On a
 * machine without HBW nodes, PREFERRED uses ordinary memory (#MEMKIND_DEFAULT,
 * #MEMKIND_HUGETLB, #MEMKIND_GBTLB), and the others fail with ENOMEM.
 *
 * Errors are values of errno.h. A request for 0 bytes gives NULL, leaves errno
 * alone, and is no error. Nothing happens at load; environment variables are read
 * at the first call that needs them. A failure never ends the program.
 *
 * @par Threads
 * All functions of this group are thread-safe, but only one thread at a time may
 * work on a block. A block may be freed by another thread than the one that
 * allocated it.
 */

#pragma once

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @addtogroup hbwmalloc
 * @{
 */

/**
 * Where blocks come from, and what happens when that memory is short. "Nearest"
 * means: seen from the CPU of the thread that allocates.
 *
 * With base pages, a bind policy returns NULL with ENOMEM when its nodes have
 * no room beside what the heap was given before and did not write yet, and when
 * the kernel refuses to map more memory. What other processes take later cannot
 * be foreseen: the kernel's out-of-memory killer then ends a process at the
 * first write of a page, see @ref memkind_shortage. Huge pages are populated when
 * they are mapped: NULL or ENOMEM tells that they are used up.
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
    /** Pages of the range that do not exist yet are provided before they are looked
     *  at, as if the first byte of each was read and written back. */
    HBW_TOUCH_PAGES = (1 << 0)
};

/**
 * Tells whether this machine has HBW nodes.
 *
 * @return An errno value:
 *   - 0: it has.
 *   - ENODEV: it has none, or MEMKIND_HBW_NODES or MEMKIND_HBW_THRESHOLD has a
 *     wrong value, or the kernel refuses mbind(2).
 */
int hbw_check_available(void);

/**
 * Tells the policy of the process. It cannot fail.
 *
 * @return The policy; #HBW_POLICY_PREFERRED if none was set.
 */
hbw_policy_t hbw_get_policy(void);

/**
 * Sets the policy of the process: once, before the first block is allocated with a
 * function of this header. Such an allocation settles the policy, too. Of several
 * threads, the first one decides.
 *
 * @param mode  the policy. HBW nodes need not exist.
 *
 * @return An errno value; errno itself is not changed:
 *   - 0: mode is the policy now, or was it already.
 *   - EPERM: another policy is settled.
 *   - EINVAL: mode is not a policy.
 */
int hbw_set_policy(hbw_policy_t mode);

/**
 * Allocates a block, as memkind_malloc() does. Its content is undefined.
 *
 * @param size  in bytes.
 *
 * @return The block, aligned for every object that fits into it, or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: there is no memory, the size is too large (more than
 *     PTRDIFF_MAX), or there are no HBW nodes and the policy is not
 *     #HBW_POLICY_PREFERRED.
 */
void *hbw_malloc(size_t size);

/**
 * Allocates a block for an array, as memkind_calloc() does, and sets all its bytes
 * to zero.
 *
 * @param num   number of elements.
 * @param size  size of an element in bytes.
 *
 * @return The block, aligned for every object that fits into it, or NULL:
 *   - errno untouched: num or size is 0.
 *   - errno ENOMEM: as for hbw_malloc() of num * size bytes, or that product is
 *     not representable.
 */
void *hbw_calloc(size_t num, size_t size);

/**
 * Allocates a block at a multiple of an alignment, as memkind_posix_memalign()
 * does. Its content is undefined.
 *
 * The alignment is checked first; a wrong one is an error even if size is 0.
 *
 * @param memptr     where the address of the block is stored. On error, *memptr is
 *                   left alone.
 * @param alignment  in bytes: a power of two, not less than `sizeof(void *)`.
 * @param size       in bytes. 0 stores NULL and returns 0.
 *
 * @return An errno value; errno itself is never changed:
 *   - 0: *memptr is the block.
 *   - EINVAL: the alignment is wrong.
 *   - ENOMEM: as for hbw_malloc(), or the alignment is too large.
 */
int hbw_posix_memalign(void **memptr, size_t alignment, size_t size);

/**
 * Allocates as hbw_posix_memalign() does, with a page size.
 *
 * Huge pages come from mmap(2) MAP_HUGE_2MB or MAP_HUGE_1GB and are populated with
 * madvise(2) MADV_POPULATE_WRITE (Linux 5.14).
 *
 * @param memptr     where the address of the block is stored. On error, *memptr is
 *                   left alone.
 * @param alignment  in bytes: a power of two, not less than `sizeof(void *)`.
 * @param size       in bytes. 0 stores NULL and returns 0.
 * @param pagesize   see the table at the top of this group.
 *
 * @return An errno value; errno itself is never changed:
 *   - 0: *memptr is the block, or NULL if size is 0.
 *   - EINVAL: the alignment is wrong; pagesize is none of hbw_pagesize_t; the
 *     policy is #HBW_POLICY_INTERLEAVE and pagesize is not #HBW_PAGESIZE_4KB; or
 *     pagesize is #HBW_PAGESIZE_1GB_STRICT and size is not a multiple of 1 GiB.
 *   - ENOMEM: as for hbw_posix_memalign(), or there are not enough huge pages.
 */
int hbw_posix_memalign_psize(void **memptr, size_t alignment, size_t size, hbw_pagesize_t pagesize);

/**
 * Changes the size of a block, as memkind_realloc() does. The content is kept up to
 * the smaller of both sizes; bytes beyond the old size are undefined. The block may
 * move. It stays in its kind, with its page size. An alignment larger than
 * hbw_malloc() gives may be lost.
 *
 * @param ptr   any block of this library, also from memkind.h or from
 *              hbw_posix_memalign_psize(): the kind is found from the address.
 *              NULL: the call is the same as hbw_malloc(size).
 * @param size  the new size in bytes. 0: the block is freed.
 *
 * @return The block of the new size; ptr is no longer valid unless it is the same
 *   address. Or NULL:
 *   - errno untouched: size is 0.
 *   - errno ENOMEM: as for hbw_malloc(); ptr stays valid, with its content.
 *   - errno EINVAL: ptr is not of this library; nothing happens, with a log line
 *     if MEMKIND_DEBUG is 1.
 */
void *hbw_realloc(void *ptr, size_t size);

/**
 * Frees a block, as memkind_free() does. It cannot fail.
 *
 * @param ptr  any block of this library, also from memkind.h: the kind is found
 *             from the address. NULL: nothing happens. A pointer that is not of
 *             this library is left alone, with a log line if MEMKIND_DEBUG is 1.
 */
void hbw_free(void *ptr);

/**
 * Tells the number of bytes that can be used in a block, as
 * memkind_malloc_usable_size() does: at least the size asked for.
 *
 * @param ptr  any block of this library, or NULL.
 *
 * @return The number of bytes; 0 if ptr is NULL or not of this library. errno is
 *   not set.
 */
size_t hbw_malloc_usable_size(void *ptr);

/**
 * Tells whether all pages of a range are in high-bandwidth memory now. The kernel
 * is asked for each page, so this is for tests, not for everyday use.
 *
 * The function rests on move_pages(2), which tells the node of each page when it is
 * given no nodes to move to; for #HBW_TOUCH_PAGES on madvise(2)
 * MADV_POPULATE_WRITE (Linux 5.14), which gives an error code and not a signal.
 *
 * @param addr   start of the range; it need not be a block of this library. It
 *               must stay mapped during the call.
 * @param size   in bytes. All pages that the range touches are looked at.
 * @param flags  0 or #HBW_TOUCH_PAGES. With it, pages that do not exist yet are
 *               provided first; the content stays the same. Memory for them may
 *               run out, see hbw_policy_t.
 *
 * @return 0, -1 or an errno value:
 *   - 0: all pages are.
 *   - -1: at least one is on another node, or does not exist yet (it was never
 *     written), or the machine has no HBW nodes.
 *   - EINVAL: addr is NULL, size is 0, or flags has an unknown bit.
 *   - EFAULT: it cannot be found out: a part of the range is not mapped (with
 *     #HBW_TOUCH_PAGES: not writable), or the kernel does not tell.
 */
int hbw_verify_memory_region(void *addr, size_t size, int flags);

/** @} */

#ifdef __cplusplus
}
#endif
