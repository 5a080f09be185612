/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * library: libtbbmalloc's functions by name, and its size classes.
 *
 * The pool functions are C++ and known by their mangled names. The size classes are not part of its
 * interface, but we need them: asking for the size of every block that is freed costs a third of a
 * malloc and free, and only who knows where blocks begin can tell a block from a pointer into one.
 * So they are asked for once, from a pool of our own, and what is found is checked. Where it is not
 * what we expect, every block gets a header (lookup.h), and nothing but time and room is lost.
 *
 * Threads: tbb_library_start() runs once, under the frontend's first-use lock; tbb_library_open()
 * on any number of threads, without it (heap_manager.h).
 */
#include "backend_tbb/tbb.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"

#define TBB_FILE "libtbbmalloc.so.2"
#define SLAB_HEADER_MOST 1024 /* bytes: far more than there are */

struct tbb_library tbb_library;
struct tbb_classes tbb_classes;

/* In the order of struct heap_library's functions. */
enum { POOL_CREATE, POOL_DESTROY, POOL_MALLOC, POOL_FREE, POOL_MSIZE, FUNCTIONS };

static const char *const names[FUNCTIONS] = {
    [POOL_CREATE] = "_ZN3rml14pool_create_v1ElPKNS_13MemPoolPolicyEPPNS_10MemoryPoolE",
    [POOL_DESTROY] = "_ZN3rml12pool_destroyEPNS_10MemoryPoolE",
    [POOL_MALLOC] = "_ZN3rml11pool_mallocEPNS_10MemoryPoolEm",
    [POOL_FREE] = "_ZN3rml9pool_freeEPNS_10MemoryPoolEPv",
    [POOL_MSIZE] = "_ZN3rml10pool_msizeEPNS_10MemoryPoolEPv",
};
_Static_assert(FUNCTIONS <= sizeof(struct heap_library){0}.functions / sizeof(void *),
               "there is room for the functions");

static bool resolve(struct heap_library *library, char why[HEAP_WHY])
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        library->functions[i] = dlsym(library->handle, names[i]);
        if (!library->functions[i]) {
            snprintf(why, HEAP_WHY, TBB_FILE " has no function %s", names[i]);
            return false;
        }
    }
    return true;
}

static void take_functions(const struct heap_library *library)
{
    tbb_library.pool_create = (__typeof__(tbb_library.pool_create))library->functions[POOL_CREATE];
    tbb_library.pool_destroy =
        (__typeof__(tbb_library.pool_destroy))library->functions[POOL_DESTROY];
    tbb_library.pool_malloc = (__typeof__(tbb_library.pool_malloc))library->functions[POOL_MALLOC];
    tbb_library.pool_free = (__typeof__(tbb_library.pool_free))library->functions[POOL_FREE];
    tbb_library.pool_msize = (__typeof__(tbb_library.pool_msize))library->functions[POOL_MSIZE];
}

/* --- ThreadSanitizer -------------------------------------------------------------------------- */

/*
 * It does not see libtbbmalloc's locks, and would report each block that one thread has freed, or
 * each region that one has brought, and another gets. It is told that both come before every later
 * allocation. Every race about a block while it is one stays visible.
 */
#ifdef __SANITIZE_THREAD__

void __tsan_acquire(void *address);
void __tsan_release(void *address);

static struct tbb_library seen; /* libtbbmalloc's own functions, which those below call */
static char order;              /* its address stands for libtbbmalloc's locks */

void tbb_library_region_ready(void)
{
    __tsan_release(&order);
}

void tbb_library_region_back(void)
{
    __tsan_acquire(&order);
}

static void *ordered_malloc(struct tbb_memory_pool *pool, size_t size)
{
    void *block = seen.pool_malloc(pool, size);

    __tsan_acquire(&order);
    return block;
}

static bool ordered_free(struct tbb_memory_pool *pool, void *block)
{
    __tsan_release(&order);
    return seen.pool_free(pool, block);
}

static void order_blocks(void)
{
    seen = tbb_library;
    tbb_library.pool_malloc = ordered_malloc;
    tbb_library.pool_free = ordered_free;
}

#else

void tbb_library_region_ready(void)
{
}

void tbb_library_region_back(void)
{
}

static void order_blocks(void)
{
}

#endif

/* --- size classes ----------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the library's type */
static void *probe_alloc(intptr_t pool_id, size_t *bytes)
{
    (void)pool_id;
    return os_map(*bytes, os_page_size());
}

static int probe_free(intptr_t pool_id, void *address, size_t bytes)
{
    (void)pool_id;
    leftover_unmap(address, bytes);
    return 0;
}

static uintptr_t unit_of(const void *block)
{
    return (uintptr_t)block >> ADDRESS_MAP_UNIT_BITS;
}

/* Whether a block lies a multiple of its size before the end of its unit. */
static bool is_from_end(const void *block, size_t size)
{
    uintptr_t end = (unit_of(block) + 1) << ADDRESS_MAP_UNIT_BITS;

    return (end - (uintptr_t)block) % size == 0;
}

/* Fills in the tables that are computed from the sizes. */
static void derive(void)
{
    for (unsigned class = TBB_CLASSES_MOST - 2; class > 0; class --) {
        uint32_t size = tbb_classes.size[class];

        if (!size)
            continue;
        tbb_classes.inverse[class] = round_inverse(size);
        for (unsigned n = 0; n < TBB_ALIGNMENTS; n++)
            tbb_classes.aligned[n][class] =
                size % (1u << n) == 0 ? (uint8_t) class : tbb_classes.aligned[n][class + 1];
    }
}

/* How many bytes of a slab are in front of its first block: the blocks of the smallest class take
 * all others. 0: they are not where they are expected. */
static size_t learn_header(struct tbb_memory_pool *pool)
{
    uintptr_t slab = 0;
    size_t least = ADDRESS_MAP_UNIT;

    for (size_t i = 0; i < ADDRESS_MAP_UNIT / TBB_CLASS_STEP; i++) {
        uintptr_t block = (uintptr_t)tbb_library.pool_malloc(pool, 1);

        if (!slab)
            slab = block >> ADDRESS_MAP_UNIT_BITS;
        if (block >> ADDRESS_MAP_UNIT_BITS == slab && block % ADDRESS_MAP_UNIT < least)
            least = block % ADDRESS_MAP_UNIT;
    }
    return slab && least <= SLAB_HEADER_MOST ? least : 0;
}

/* One block of each class, from the smallest on: a request of one byte more than a class holds
 * gives the next. A block of just the size asked for, which no class has, is a large one. */
static bool learn_classes(struct tbb_memory_pool *pool)
{
    uintptr_t unit[TBB_CLASSES_MOST];
    size_t request = 1;

    for (unsigned class = 1; class < TBB_CLASSES_MOST; class ++) {
        void *block = tbb_library.pool_malloc(pool, request);
        size_t size = block ? tbb_library.pool_msize(pool, block) : 0;

        if (size < request || size > TBB_SMALL_MOST)
            return false;
        if (size == request) {
            tbb_classes.slab_room = ADDRESS_MAP_UNIT - learn_header(pool);
            if (tbb_classes.slab_room == ADDRESS_MAP_UNIT)
                return false;
            derive();
            tbb_classes.small_most = request - 1;
            return true;
        }
        unit[class] = unit_of(block);
        for (unsigned other = 1; other < class; other++)
            if (unit[other] == unit[class])
                return false; /* a unit with two classes is no slab */
        if (!is_from_end(block, size))
            return false;
        tbb_classes.size[class] = (uint32_t)size;
        for (size_t i = (request + TBB_CLASS_STEP - 1) / TBB_CLASS_STEP; i <= size / TBB_CLASS_STEP;
             i++)
            tbb_classes.by_size[i] = (uint8_t) class;
        request = size + 1;
    }
    return false;
}

/* False: the library cannot create a pool. */
static bool learn(void)
{
    static const struct tbb_pool_policy policy = {
        .raw_alloc = probe_alloc, .raw_free = probe_free, .version = 1};
    struct tbb_memory_pool *pool;

    if (tbb_library.pool_create(0, &policy, &pool))
        return false;
    if (learn_classes(pool))
        callbacks->log(TBB_FILE ": blocks of up to %zu bytes are small ones",
                       tbb_classes.small_most);
    else
        callbacks->log(TBB_FILE ": unexpected size classes; every block gets a header");
    tbb_library.pool_destroy(pool);
    return true;
}

/* --- loading ---------------------------------------------------------------------------------- */

/*
 * A program may use oneTBB itself. Its threads are inside the library then when ours are not, and a
 * child of fork(2) would find the library's locks taken by threads that it does not have. So we use
 * an instance that is ours alone: the loader knows a library by its file, and a copy of the file is
 * another one.
 */

#define PATH_ROOM (PATH_MAX + 64)

/* The path of a descriptor, which nobody else has the idea to open, and at least as long as the
 * name that the copy gets. Where that is too long for the kernel, dlopen() says so. */
static void path_of(int file, size_t length, char path[PATH_ROOM])
{
    int done = snprintf(path, PATH_ROOM, "/proc/self/");

    while ((size_t)done < length && done < PATH_MAX)
        done += snprintf(path + done, (size_t)(PATH_ROOM - done), "./");
    snprintf(path + done, (size_t)(PATH_ROOM - done), "./fd/./%d", file);
}

/* Debuggers, handlers of crashes and sanitizers open a library by the name that the loader has for
 * it, and the descriptor's number is any file of the program's by then. So it gets one of the file
 * that it is a copy of: not the usual one, by which the loader knows the shared instance. Written
 * over the old name, since the loader frees that. Whoever reads it meanwhile finds a bit of both.
 */
static void name_copy(void *copy, const char *path, const char *original)
{
    const char *slash = strrchr(original, '/');
    size_t directory = slash ? (size_t)(slash - original) + 1 : 0;
    struct link_map *map;

    if (dlinfo(copy, RTLD_DI_LINKMAP, &map) || strcmp(map->l_name, path) != 0)
        return;
    memcpy(map->l_name, original, directory);
    memcpy(map->l_name + directory, "./", 2);
    memcpy(map->l_name + directory + 2, original + directory, strlen(original + directory) + 1);
}

/* NULL: not to be had (no /proc, no executable memory files), and the shared one is used. */
static void *open_copy(void *shared)
{
    struct link_map *map;
    char path[PATH_ROOM];
    void *copy;
    int file;

    if (dlinfo(shared, RTLD_DI_LINKMAP, &map))
        return NULL;
    file = os_copy_to_memory(map->l_name, TBB_FILE);
    if (file < 0)
        return NULL;
    path_of(file, strlen(map->l_name) + strlen("./"), path);
    copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (copy)
        name_copy(copy, path, map->l_name);
    else
        callbacks->log("no private copy of " TBB_FILE ": %s", dlerror());
    os_close(file);
    return copy;
}

int tbb_library_open(struct heap_library *library, char why[HEAP_WHY])
{
    void *shared = dlopen(TBB_FILE, RTLD_NOW | RTLD_LOCAL);

    if (!shared) {
        snprintf(why, HEAP_WHY, "%s", dlerror()); /* which names the file */
        return MEMKIND_ERROR_UNAVAILABLE;
    }
    library->handle = open_copy(shared);
    if (library->handle)
        dlclose(shared);
    else
        library->handle = shared;
    if (resolve(library, why))
        return 0;
    tbb_library_close(library);
    return MEMKIND_ERROR_UNAVAILABLE;
}

void tbb_library_close(struct heap_library *library)
{
    dlclose(library->handle);
    library->handle = NULL;
}

/* Afterwards it is never closed, since its destructors of threads must be able to run. */
int tbb_library_start(const struct heap_library *library, char why[HEAP_WHY])
{
    take_functions(library);
    if (!learn()) {
        snprintf(why, HEAP_WHY, TBB_FILE " cannot create a pool");
        return MEMKIND_ERROR_UNAVAILABLE;
    }
    order_blocks();
    return 0;
}
