/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_file: pages from a file without a name in a directory (memkind_create_pmem()).
 *
 * The file is mapped in windows, long before it has any length: a window costs addresses only. A
 * region is handed out when the file system has reserved its part of the file, so that a full disk
 * is an error code here and never a SIGBUS later. Space is not enough for that: a full ext4 may
 * still want a block of its own at the first write to a page, so pages are populated (Linux 5.14),
 * except on tmpfs, which reserves by making them. Given back, its space goes to the file system as
 * a hole, and the pages to the range allocator, to be reserved again. No page stays reserved that
 * is not handed out, but for a second where pool_reuse_begin() says that pages will be wanted again
 * (kept_pages.h), and the windows never cover more of the file than its limit.
 *
 * Regions can lie across the border of two windows, which need not be neighbours in the file.
 *
 * Threads: one lock for all files, held while windows are added and what was kept is given back,
 * not while space is reserved or given back else: a range belongs to the caller by then. Who has
 * taken a range asks under the lock which of its pages have their space. In a child of fork(2) the
 * windows stay, as memory; the file is the parent's, and a new one is made when pages are wanted.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "kinds/pages/address_map.h"
#include "kinds/pages/fork_copy.h"
#include "kinds/pages/kept_pages.h"
#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"
#include "kinds/pages/range_allocator.h"
#include "kinds/pages/source_file.h"
#include "kinds/pages/temp_file.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/memory_cgroup.h"
#include "kinds/system/round.h"

#define WINDOW_UNIT ((size_t)2 << 20) /* one huge page, which DAX and tmpfs may have */
#define WINDOW_SIZE ((size_t)1 << 30)

struct source_file {
    struct range_allocator ranges;
    char *directory; /* absolute; a mapping */
    size_t limit;    /* bytes of the file, 0: none */
    atomic_int file; /* -1: none yet, in the child of a fork */
    struct os_identity identity;
    atomic_bool lost;      /* the program has closed the descriptor: said in the log */
    bool in_memory;        /* reserved space is pages (tmpfs) */
    bool populates;        /* reserved space does not mean that a write succeeds */
    bool dax;              /* the file's windows are mapped with MAP_SYNC */
    atomic_size_t windows; /* bytes of the file that are mapped somewhere; written with the lock */
    atomic_bool stale;     /* free pages may hold old content */
    atomic_bool punches;   /* fallocate(2) has punched a hole */
    atomic_bool no_punch;  /* it punches none */
    atomic_bool no_holes;  /* nothing does */
    atomic_bool no_fallocate;      /* the file system cannot reserve space */
    struct kept_pages kept;        /* guarded by the lock */
    LIST_ENTRY(source_file) entry; /* of those that have ever kept pages */
    struct page_pool *copied;      /* at each fork: this pool; NULL: no */
    LIST_ENTRY(source_file) copied_entry;
};

PAGE_SOURCE_STATE(struct source_file)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, source_file) keepers; /* guarded by the lock */
static LIST_HEAD(, source_file) copied;  /* those with a `copied`; guarded by the lock */
static atomic_bool any_kept;             /* written with the lock */

/* --- the file --------------------------------------------------------------------------------- */

/* `directory` NULL: the one where the pool had a file before. */
static int file_make(struct source_file *own, const char *directory)
{
    int file = directory ? temp_file_open(directory, own->directory)
                         : temp_file_open(own->directory, NULL);
    int error;
    bool dax;

    if (!directory)
        directory = own->directory;

    if (file < 0) {
        callbacks->log("cannot create a file in %.200s: %s", directory, strerrordesc_np(errno));
        return MEMKIND_ERROR_INVALID;
    }
    error = temp_file_try(file, &dax);
    if (!error)
        error = os_identify(file, &own->identity);
    if (error) {
        callbacks->log("a file in %.200s cannot be mapped: %s", directory, strerrordesc_np(error));
        os_close(file);
        return MEMKIND_ERROR_MMAP;
    }
    own->dax = dax;
    own->in_memory = os_allocates_pages(file);
    own->populates = !own->in_memory && os_can_populate();
    atomic_store_explicit(&own->file, file, memory_order_release);
    if (own->limit)
        callbacks->log("created a file in %.200s (%s) with a limit of %zu MiB", own->directory,
                       dax ? "DAX" : "no DAX", own->limit >> 20);
    else
        callbacks->log("created a file in %.200s (%s) without a limit", own->directory,
                       dax ? "DAX" : "no DAX");
    return 0;
}

static int open_pool(struct page_pool *pool, const void *request)
{
    const struct source_file_request *wanted = request;
    struct source_file *own = state_of(pool);
    int error;

    if (wanted->limit && wanted->limit < MEMKIND_PMEM_MIN_SIZE) {
        callbacks->log("a limit of %zu bytes is too small for a file: at least %zu", wanted->limit,
                       (size_t)MEMKIND_PMEM_MIN_SIZE);
        return MEMKIND_ERROR_INVALID;
    }
    /* More than a file can have, or than memkind_get_capacity() can tell, is no limit. */
    own->limit =
        wanted->limit <= SSIZE_MAX - WINDOW_UNIT ? round_up(wanted->limit, WINDOW_UNIT) : 0;
    atomic_store_explicit(&own->file, -1, memory_order_relaxed);
    own->directory = os_map(TEMP_FILE_PATH, os_page_size());
    if (!own->directory)
        return MEMKIND_ERROR_MALLOC;
    error = file_make(own, wanted->directory);
    if (error)
        leftover_unmap(own->directory, TEMP_FILE_PATH);
    else
        range_allocator_init(&own->ranges);
    return error;
}

/* Programs that start others close every descriptor they find; the number is then another file's.
 * Looked at before each change of the file: it costs little beside that. */
static bool has_file(struct source_file *own)
{
    if (os_is_file(own->file, &own->identity))
        return true;
    if (!atomic_exchange(&own->lost, true))
        callbacks->log("the program has closed descriptor %d, a kind's file in %.200s: the kind "
                       "gets no further pages",
                       own->file, own->directory);
    return false;
}

static void close_file(struct source_file *own)
{
    if (own->file >= 0 && has_file(own))
        os_close(own->file);
}

/* Nobody else has the pool, or the lock is held. */
static void forget_kept(struct source_file *own)
{
    if (own->kept.bits)
        LIST_REMOVE(own, entry);
    kept_pages_end(&own->kept);
}

static void close_pool(struct page_pool *pool)
{
    const struct page_region *window;
    struct source_file *own = state_of(pool);

    pthread_mutex_lock(&lock);
    forget_kept(own);
    if (own->copied)
        LIST_REMOVE(own, copied_entry);
    pthread_mutex_unlock(&lock);
    LIST_FOREACH (window, &pool->regions.list, entry) {
        /* A window that stays mapped keeps the file; not its space. */
        if (os_unmap(window->start, window->size)) {
            if (!window->inherited && has_file(own))
                (void)os_punch(own->file, window->offset, window->size);
            leftover_unmap(window->start, window->size);
        }
    }
    range_allocator_end(&own->ranges);
    close_file(own);
    leftover_unmap(own->directory, TEMP_FILE_PATH);
}

/* --- space in the file ------------------------------------------------------------------------ */

/* The piece of [address, end) that lies in one window. */
struct piece {
    size_t offset, size; /* in the file */
};

static struct piece first_piece(const char *address, const char *end)
{
    const struct page_region *window = address_map_find(address);
    size_t inside = (size_t)(address - window->start), size = (size_t)(end - address);

    if (size > window->size - inside)
        size = window->size - inside;
    return (struct piece){window->offset + inside, size};
}

static bool is_unsupported(int error)
{
    return error == EOPNOTSUPP || error == ENOSYS || error == EPERM; /* the last: of a sandbox */
}

static int reserve_piece(struct source_file *own, struct piece piece)
{
    bool write = atomic_load_explicit(&own->no_fallocate, memory_order_relaxed);
    int error;

    if (!has_file(own))
        return EBADF;
    error = write ? EOPNOTSUPP : os_allocate(own->file, piece.offset, piece.size);
    if (is_unsupported(error)) {
        if (!atomic_exchange(&own->no_fallocate, true))
            callbacks->log("%.200s has no fallocate(2): space is reserved by writing",
                           own->directory);
        error = os_write_zeroes(own->file, piece.offset, piece.size);
    }
    return error;
}

static int punch(struct source_file *own, void *address, struct piece piece)
{
    int error = EOPNOTSUPP;

    if (!atomic_load_explicit(&own->no_punch, memory_order_relaxed))
        error = os_punch(own->file, piece.offset, piece.size);
    if (!error && !atomic_load_explicit(&own->punches, memory_order_relaxed))
        atomic_store_explicit(&own->punches, true, memory_order_relaxed);
    if (!is_unsupported(error))
        return error;
    atomic_store_explicit(&own->no_punch, true, memory_order_relaxed);
    error = os_punch_mapped(address, piece.size);
    if (is_unsupported(error))
        atomic_store_explicit(&own->no_holes, true, memory_order_relaxed);
    return error;
}

static void stay_stale(struct source_file *own, int error)
{
    if (!atomic_exchange(&own->stale, true))
        callbacks->log("%.200s: cannot punch holes in the file (%s): the kind keeps freed space",
                       own->directory, strerrordesc_np(error));
}

static void release_piece(struct source_file *own, void *address, struct piece piece)
{
    int error = EOPNOTSUPP;

    if (!has_file(own)) {
        atomic_store_explicit(&own->stale, true, memory_order_relaxed);
        return;
    }
    if (!atomic_load_explicit(&own->no_holes, memory_order_relaxed))
        error = punch(own, address, piece);
    if (error)
        stay_stale(own, error);
}

/* Whether the file keeps the space: it can have a hole there later, and a record is to be had. */
static bool keep_piece(struct source_file *own, struct piece piece)
{
    bool kept, first;

    if (!own->limit || !atomic_load_explicit(&own->punches, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&lock);
    first = !own->kept.bits;
    kept = kept_pages_add(&own->kept, piece.offset, piece.size, own->limit);
    if (kept && first)
        LIST_INSERT_HEAD(&keepers, own, entry);
    if (kept)
        atomic_store_explicit(&any_kept, true, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return kept;
}

/* Content of the pages is no longer needed. `spare`: to note them with. `keeps`: all have their
 * space, and will be wanted again. */
static void release(struct source_file *own, struct free_range *spare, char *address, size_t size,
                    bool keeps)
{
    struct piece piece;

    for (char *at = address; at < address + size; at += piece.size) {
        piece = first_piece(at, address + size);
        if (!keeps || !keep_piece(own, piece))
            release_piece(own, at, piece);
    }
    range_allocator_put_with(&own->ranges, spare, address, size);
}

/* Punches holes where pages were kept. Returns the bytes that have gone. Called with the lock. */
static size_t punch_kept(struct source_file *own)
{
    size_t offset = 0, size, gone = 0;
    int error;

    while (kept_pages_next(&own->kept, &offset, &size)) {
        error = has_file(own) ? os_punch(own->file, offset, size) : EBADF;
        if (error)
            stay_stale(own, error);
        else
            gone += size;
        (void)kept_pages_take(&own->kept, offset, size);
        offset += size;
    }
    return gone;
}

static size_t give_back(struct page_pool *only, long since)
{
    struct source_file *own;
    size_t gone = 0;
    bool any = false;

    if (!atomic_load_explicit(&any_kept, memory_order_relaxed))
        return 0;
    pthread_mutex_lock(&lock);
    LIST_FOREACH (own, &keepers, entry) {
        if ((!only || state_of(only) == own) && own->kept.since <= since)
            gone += punch_kept(own);
        any |= kept_pages_any(&own->kept);
    }
    atomic_store_explicit(&any_kept, any, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return gone;
}

static size_t kept(const struct page_pool *pool)
{
    return kept_pages_size(&state_of(pool)->kept);
}

/* How many bytes of the pages, which are the caller's, have their space already. */
static size_t take_kept(struct source_file *own, char *address, size_t size)
{
    struct piece piece;
    size_t kept = 0;

    if (!kept_pages_any(&own->kept))
        return 0;
    pthread_mutex_lock(&lock);
    for (char *at = address; at < address + size; at += piece.size) {
        piece = first_piece(at, address + size);
        kept += kept_pages_take(&own->kept, piece.offset, piece.size);
    }
    pthread_mutex_unlock(&lock);
    return kept;
}

/* 0 or an errno; a full disk may have given a part. */
static int reserve_space(struct source_file *own, char *address, size_t size)
{
    struct piece piece;
    int error = 0;

    for (char *at = address; at < address + size && !error; at += piece.size) {
        piece = first_piece(at, address + size);
        error = reserve_piece(own, piece);
    }
    if (!error && own->populates)
        error = os_populate(address, size);
    return error;
}

/* Of the pages, so many bytes have no space yet. Asking for all costs no more. 0 or an errno. */
static int reserve_missing(struct page_pool *pool, char *address, size_t size, size_t missing)
{
    struct source_file *own = state_of(pool);
    bool limited = own->in_memory && memory_cgroup_is_limited();
    int error = ENOMEM;

    if (!limited || commitment_make(&pool->commitment, &pool->regions, NULL, missing)) {
        error = reserve_space(own, address, size);
        if (limited)
            commitment_done(&pool->commitment, missing, false);
    }
    return error;
}

/* 0 or an errno, and the pages are no longer the caller's. *old: some hold what was there. */
static int reserve(struct page_pool *pool, struct free_range *spare, char *address, size_t size,
                   bool *old)
{
    struct source_file *own = state_of(pool);
    size_t missing = size - take_kept(own, address, size);
    int error = missing ? reserve_missing(pool, address, size, missing) : 0;

    *old = missing != size;
    /* What was kept may be what is missing: of this file or of another one. */
    if (error && give_back(NULL, LONG_MAX))
        error = reserve_missing(pool, address, size, missing);
    if (error)
        release(own, spare, address, size, false);
    else
        range_allocator_drop_spare(spare);
    return error;
}

/* --- windows ---------------------------------------------------------------------------------- */

static size_t windows_of(const struct source_file *own)
{
    return atomic_load_explicit(&own->windows, memory_order_relaxed);
}

/* Whether the file system can have so much at all: addresses are not free of cost, either. */
static bool file_has_room(int file, size_t size)
{
    size_t total, unused;

    return os_file_system(file, &total, &unused) || total == 0 || unused >= size;
}

/* Maps the next `size` bytes of the file. Called with the lock. */
static bool window_map(struct page_pool *pool, size_t size, size_t alignment)
{
    struct source_file *own = state_of(pool);
    size_t windows = windows_of(own);
    void *address = os_map_file(own->file, windows, size, alignment, own->dax);

    if (!address)
        return false;
    /* The page cache may keep several pages as one (large folios), as readahead brings them. A hole
     * beside pages in use would then cost these their blocks, too: on a full disk, the next write
     * to them could not have them again. */
    if (own->populates)
        os_no_readahead(address, size);
    if (!pool_no_core_dump(pool, address, size) ||
        page_region_add(&pool->regions, 0, address, size, windows)) {
        leftover_unmap(address, size);
        return false;
    }
    if (!range_allocator_put(&own->ranges, address, size)) {
        page_region_drop(page_region_detach(&pool->regions, address, size));
        leftover_unmap(address, size);
        return false;
    }
    atomic_store_explicit(&own->windows, windows + size, memory_order_relaxed);
    return true;
}

/* Adds a window that a region of this sort fits in, or what the limit leaves. Called with the
 * lock. */
static bool window_add(struct page_pool *pool, size_t size, size_t alignment)
{
    struct source_file *own = state_of(pool);
    size_t left = (own->limit ? own->limit : round_down(SSIZE_MAX, WINDOW_UNIT)) - windows_of(own);
    size_t least = size < left ? round_up(size, WINDOW_UNIT) : left, most;

    if (left == 0 || (own->limit && size > own->limit))
        return false;
    if (own->file < 0 && file_make(own, NULL))
        return false;
    if (!has_file(own) || !file_has_room(own->file, size))
        return false;
    most = least > WINDOW_SIZE ? least : WINDOW_SIZE;
    if (most > left)
        most = left;
    /* Smaller ones where addresses are scarce (RLIMIT_AS). */
    while (!window_map(pool, most, alignment > WINDOW_UNIT ? alignment : WINDOW_UNIT)) {
        if (most == least)
            return false;
        most = round_up(most / 2, WINDOW_UNIT) > least ? round_up(most / 2, WINDOW_UNIT) : least;
    }
    return true;
}

static void *take_from_new(struct page_pool *pool, size_t size, size_t alignment)
{
    struct range_allocator *ranges = &state_of(pool)->ranges;
    void *address;

    pthread_mutex_lock(&lock);
    address = range_allocator_take(ranges, size, alignment); /* another thread may have added one */
    while (!address && window_add(pool, size, alignment))
        address = range_allocator_take(ranges, size, alignment);
    pthread_mutex_unlock(&lock);
    return address;
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    struct source_file *own = state_of(pool);
    struct free_range *spare = range_allocator_spare();
    void *address = spare ? range_allocator_take(&own->ranges, size, alignment) : NULL;
    bool old = false;

    (void)policy;
    if (!address && spare)
        address = take_from_new(pool, size, alignment);
    if (!address)
        range_allocator_drop_spare(spare);
    else if (reserve(pool, spare, address, size, &old))
        address = NULL;
    /* Asked after the pages were taken: they were marked before they came back. */
    *zeroed = !old && !atomic_load_explicit(&own->stale, memory_order_relaxed);
    if (!address)
        errno = ENOMEM;
    return address;
}

static bool has_room(const struct page_pool *pool, size_t size)
{
    const struct source_file *own = state_of(pool);

    return range_allocator_largest(&own->ranges) >= size || !own->limit ||
           windows_of(own) < own->limit;
}

static int unmap(struct page_pool *pool, void *address, size_t size)
{
    struct free_range *spare = range_allocator_spare();

    if (!spare)
        return ENOMEM;
    release(state_of(pool), spare, address, size, pool_is_reusing(pool));
    return 0;
}

/* --- questions -------------------------------------------------------------------------------- */

static size_t granule(const struct page_pool *pool)
{
    (void)pool;
    return os_page_size();
}

static size_t limit(const struct page_pool *pool)
{
    return state_of(pool)->limit;
}

static ssize_t capacity(const struct page_pool *pool)
{
    int at = os_open(AT_FDCWD, state_of(pool)->directory, O_PATH | O_DIRECTORY);
    size_t total, unused;
    int error;

    if (at < 0)
        return -1;
    error = os_file_system(at, &total, &unused);
    os_close(at);
    return error || total > SSIZE_MAX ? -1 : (ssize_t)total;
}

/* --- fork ------------------------------------------------------------------------------------- */

static void forked(struct page_pool *pool)
{
    struct source_file *own = state_of(pool);

    close_file(own);
    atomic_store_explicit(&own->file, -1, memory_order_relaxed);
    atomic_store_explicit(&own->lost, false, memory_order_relaxed);
    atomic_store_explicit(&own->stale, false, memory_order_relaxed);
    atomic_store_explicit(&own->windows, 0, memory_order_relaxed);
    forget_kept(own);
    range_allocator_clear(&own->ranges);
}

static void copy_at_fork(struct page_pool *pool)
{
    struct source_file *own = state_of(pool);

    pthread_mutex_lock(&lock);
    if (!own->copied)
        LIST_INSERT_HEAD(&copied, own, copied_entry);
    own->copied = pool;
    pthread_mutex_unlock(&lock);
}

static void prefork(void)
{
    struct page_region *window;
    struct source_file *own;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (own, &copied, copied_entry)
        LIST_FOREACH (window, &own->copied->regions.list, entry)
            if (!window->inherited)
                fork_copy_make(window, has_file(own) ? own->file : -1);
}

static void postfork(bool child)
{
    struct page_region *window;
    struct source_file *own;

    LIST_FOREACH (own, &copied, copied_entry)
        LIST_FOREACH (window, &own->copied->regions.list, entry)
            fork_copy_settle(window, child);
    pthread_mutex_unlock(&lock);
}

const struct page_source page_source_file = {.name = "file",
                                             .page_granular = true,
                                             .open = open_pool,
                                             .close = close_pool,
                                             .granule = granule,
                                             .map = map,
                                             .unmap = unmap,
                                             .has_room = has_room,
                                             .limit = limit,
                                             .capacity = capacity,
                                             .give_back = give_back,
                                             .kept = kept,
                                             .forked = forked,
                                             .copy_at_fork = copy_at_fork,
                                             .prefork = prefork,
                                             .postfork = postfork};
