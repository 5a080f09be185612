/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * os: every system call of the library, with what it takes for granted said once.
 *
 * Each wrapper does one thing, logs a failure with its errno (MEMKIND_DEBUG=1) and returns the
 * errno, 0 for success; nothing here allocates or locks. Memory policy calls go straight to the
 * kernel: libnuma's wrappers add nothing to them, and loading libnuma costs every program that
 * links memkind 0.4 ms at start. Any thread, any time, async-signal-safe unless said otherwise.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kinds/system/nodemask.h"

/* Bytes in a base page of the running kernel. */
size_t os_page_size(void);

/* How the pages of a mapping choose their node: MPOL_* of <linux/mempolicy.h>, -1 for "as the
 * process". */
struct os_policy {
    int mode;
    struct nodemask nodes;
};

/* Private anonymous zeroed memory, base pages; `alignment` a power of two >= the page size.
 * NULL with errno. Pages are not populated. */
void *os_map(size_t size, size_t alignment);

/* Whether the kernel lets this process have so many bytes at once, as it decides for malloc():
 * os_map() does not ask, since addresses that stay untouched cost nothing. */
bool os_may_have(size_t size);

/* The same from the kernel's pool of huge pages of `page_size` bytes; size and alignment are
 * multiples of it. Does not populate: a policy comes in between. The pool's pages are reserved
 * until the mapping goes, which is what lets a parent outlive its fork's copies. NULL with errno.
 */
void *os_map_huge(size_t size, size_t alignment, size_t page_size);

/* A part of a file, shared, readable and writable; may lie beyond the file's end. `offset`, and
 * `alignment` as above, are multiples of the page size. `sync`: MAP_SYNC, which only a file on a
 * DAX device takes. NULL with errno. */
void *os_map_file(int file, size_t offset, size_t size, size_t alignment, bool sync);

/* Memory for a stack, as os_map()'s; its lowest page faults. NULL with errno. */
void *os_map_stack(size_t size);

int os_unmap(void *address, size_t size);

/* A whole mapping takes the place of what is mapped at `to`. 0 or an errno. */
int os_move(void *address, void *to, size_t size);

/* mbind(2) on a fresh mapping. Only pages touched later follow the policy. */
int os_bind(void *address, size_t size, const struct os_policy *policy);

/* Touches every page for writing, without changing content and without SIGBUS: ENOMEM when the
 * policy's nodes are full, EFAULT when the pool has no huge page left, EINVAL before Linux 5.14
 * (os_can_populate() tells). */
int os_populate(void *address, size_t size);
bool os_can_populate(void);

/* Gives the pages back; the next touch reads zeroes. Huge pages: Linux 5.18, whole pages only. */
int os_discard(void *address, size_t size);

/* Whether pages may be read and written, or not be touched at all. */
int os_protect(void *address, size_t size, bool usable);

/* Calls look() with the address of every fault (SIGSEGV), before the handler that the process has
 * now, or what else it does. Once. look() is to be async-signal-safe. */
void os_watch_faults(void (*look)(const void *address));

/* Keeps transparent huge pages away from a mapping whose placement is counted in base pages. */
int os_no_huge_pages(void *address, size_t size);

/* Leaves the pages out of core dumps. */
int os_no_core_dump(void *address, size_t size);

/* Faults bring just the page that is wanted, and no others with it. */
int os_no_readahead(void *address, size_t size);

/* Whether a mapping costs nothing but addresses until it is used: no RLIMIT_AS, no strict account
 * of memory (vm.overcommit_memory), no locking of whatever is mapped (mlockall(2)). */
bool os_addresses_are_free(void);

/* Names an anonymous mapping in /proc/self/maps (Linux 5.17 with CONFIG_ANON_VMA_NAME). Silent:
 * a kernel without it loses nothing but the name. */
void os_name(void *address, size_t size, const char *name);

/* Node of the CPU this thread runs on right now; 0 when the kernel does not say. */
unsigned os_current_node(void);

/* Nodes on which the process may have memory (cpuset). */
int os_allowed_nodes(struct nodemask *nodes);

/* Writes a byte of this process's memory over itself, without a signal. 0, or EFAULT where it is
 * not mapped or not writable. */
int os_rewrite(void *address);

/* move_pages(2) as a question: node of each page in status[], or a negative errno. */
int os_page_nodes(size_t count, void **pages, int *status);

/* Bytes of these pages that are backed now, by memory or by swap space; all of them where that
 * cannot be told. */
size_t os_backed(void *address, size_t size);

/* Bytes that the kernel keeps free on the machine (vm.min_free_kbytes), and that are free for
 * swapping. */
uint64_t os_min_free(void);
uint64_t os_free_swap(void);

/* Whether all of [address, address + size) is mapped. */
bool os_is_mapped(void *address, size_t size);

/* Reads a small file (sysfs, procfs) as text, terminated. Length, or -1 with errno; a missing file
 * is not worth a log line, everything else is. */
ssize_t os_read_file(const char *path, char *text, size_t size);

/* Calls visit() for every line of a text file, without its end; it may write to it. Lines of 4 KiB
 * and more are left out. 0, or an errno. */
int os_read_lines(const char *path, void (*visit)(void *context, char *line), void *context);

/* Calls visit() for every name in a folder but "." and "..", in no order. 0, or an errno; a missing
 * folder is not worth a log line. */
int os_read_folder(const char *path, void (*visit)(void *context, const char *name), void *context);

/* Where a symbolic link points, terminated. 0, or an errno; not worth a log line. */
int os_read_link(const char *path, char *target, size_t size);

/* --- files --- */

/* Sizes and offsets are bytes. A call that signals interrupt is repeated, but not for ever. */

/* open(2) relative to `directory`, with O_CLOEXEC and mode 0600. A descriptor, or -1 with errno;
 * never 0, 1 or 2, even if the program has closed them: what it prints must not end up in the file.
 */
int os_open(int directory, const char *path, int flags);
void os_close(int file);
/* Which file a descriptor is of, and whether it still is: a program may have closed it and got its
 * number for another. */
struct os_identity {
    unsigned long device, inode;
};
int os_identify(int file, struct os_identity *identity);
bool os_is_file(int file, const struct os_identity *identity);

/* A copy of a file in memory (memfd_create(2)), which goes when nobody has it open or mapped. A
 * descriptor, or -1. */
int os_copy_to_memory(const char *path, const char *name);

int os_unlink(int directory, const char *name);

/* The absolute path of a descriptor, terminated. Needs /proc. */
int os_path(int file, char *path, size_t size);

/* Reserves space for a part of a file, which grows when that lies beyond its end. Beyond what the
 * process may have (RLIMIT_FSIZE) it is EFBIG, without SIGXFSZ. */
int os_allocate(int file, size_t offset, size_t size);
/* The same by writing zeroes: content is lost. */
int os_write_zeroes(int file, size_t offset, size_t size);
/* Gives space back; reads as zeroes afterwards, the length stays. */
int os_punch(int file, size_t offset, size_t size);
/* The same for pages that are mapped shared, by a call that a sandbox may leave. */
int os_punch_mapped(void *address, size_t size);

/* The next part of a file from *first on that is no hole: where it begins and ends. False: there is
 * none. All of a file without holes is such a part. */
bool os_next_data(int file, size_t *first, size_t *end);

/* Bytes of a file's file system, all and free; 0 where it has no such number. */
int os_file_system(int file, size_t *total, size_t *unused);

/* Whether fallocate(2) gives the file its very pages (tmpfs), and not just space on a device. */
bool os_allocates_pages(int file);

/* A number that another process, or another time, does not get. */
unsigned long os_unique(void);

/* A number that nobody else can guess. */
uint64_t os_random(void);

/* Writes to stderr in one call; the log's only way out. */
void os_write_error(const char *text, size_t size);

/* This process's number: 1 or more. */
int os_process(void);

/* The calling thread's number in the system, and whether no thread of this process has it (any
 * more). */
int os_thread(void);
bool os_thread_is_gone(int thread);

/* Seconds of a clock that never goes back. */
long os_seconds(void);

/* pthread_create(3), which may allocate; all signals are blocked in the thread. 0, or an errno. */
int os_create_thread(pthread_t *thread, void *(*run)(void *));

/* Waits while the word has the value: until os_wake(), a signal, or so many milliseconds, whatever
 * happens to the system's clock. */
void os_wait(const atomic_uint *word, unsigned value, unsigned milliseconds);
/* Wakes the one that waits for the word, whose value has been changed. */
void os_wake(const atomic_uint *word);

/* Full memory barriers on all CPUs that run threads of this process (membarrier(2), Linux 4.14).
 * The first of the two makes the process known to the kernel and comes before the other, which
 * returns 0 or an errno. */
bool os_can_barrier_everywhere(void);
int os_barrier_everywhere(void);

/* Lets other threads run for a moment, whatever their priority. */
void os_yield(void);

/* CPUs this process may run on (sched_getaffinity), at least 1. */
unsigned os_cpu_count(void);
