/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_onetbb: a program that uses oneTBB's allocator and thread-specific data itself, as programs
 * do that choose the heap manager TBB. What it does with them neither holds this library up nor is
 * lost by it.
 */
#include "support.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(onetbb, .init = test_bare, .timeout = 240);

#define THREADS 4
#define FORKS 60

/* --- oneTBB's own functions ------------------------------------------------------------------- */

/* As <oneapi/tbb/scalable_allocator.h> has it. */
struct pool_policy {
    void *(*raw_alloc)(intptr_t pool_id, size_t *bytes);
    int (*raw_free)(intptr_t pool_id, void *address, size_t bytes);
    size_t granularity;
    int version;
    unsigned flags;
};

static void *(*scalable_malloc)(size_t size);
static void (*scalable_free)(void *block);
static int (*pool_create)(intptr_t pool_id, const struct pool_policy *policy, void **pool);
static bool (*pool_destroy)(void *pool);
static void *(*pool_malloc)(void *pool, size_t size);
static atomic_bool stop;

static void open_onetbb(void)
{
    void *library = dlopen("libtbbmalloc.so.2", RTLD_NOW);

    if (!library)
        test_skip("libtbbmalloc.so.2 cannot be loaded");
    *(void **)&scalable_malloc = dlsym(library, "scalable_malloc");
    *(void **)&scalable_free = dlsym(library, "scalable_free");
    *(void **)&pool_create =
        dlsym(library, "_ZN3rml14pool_create_v1ElPKNS_13MemPoolPolicyEPPNS_10MemoryPoolE");
    *(void **)&pool_destroy = dlsym(library, "_ZN3rml12pool_destroyEPNS_10MemoryPoolE");
    *(void **)&pool_malloc = dlsym(library, "_ZN3rml11pool_mallocEPNS_10MemoryPoolEm");
    cr_assert(scalable_malloc && scalable_free && pool_create && pool_destroy && pool_malloc);
}

/* Mostly inside the library, below its locks: blocks of many sizes, large ones too. */
static void *use_onetbb(void *unused)
{
    void *blocks[64];

    while (!stop) {
        for (size_t i = 0; i < LENGTH(blocks); i++)
            blocks[i] = scalable_malloc(i % 8 ? i * 300 + 1 : i * 20000 + 1);
        for (size_t i = 0; i < LENGTH(blocks); i++)
            scalable_free(blocks[i]);
    }
    return unused;
}

static void *raw_alloc(intptr_t unused, size_t *bytes)
{
    void *address = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    return address == MAP_FAILED ? NULL : address;
}

static int raw_free(intptr_t unused, void *address, size_t bytes)
{
    (void)unused;
    return munmap(address, bytes);
}

/* Likewise below the lock of its list of pools. */
static void *use_pools(void *unused)
{
    const struct pool_policy policy = {.raw_alloc = raw_alloc, .raw_free = raw_free, .version = 1};
    void *pool;

    while (!stop && pool_create(0, &policy, &pool) == 0) {
        for (size_t size = 1; size < 100000; size *= 3)
            pool_malloc(pool, size);
        pool_destroy(pool);
    }
    return unused;
}

static void allocate_and_exit(memkind_t file)
{
    const memkind_t kinds[] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, file};

    for (size_t round = 0; round < 20; round++)
        for (size_t i = 0; i < LENGTH(kinds); i++)
            for (size_t size = 1; size < 3 * MIB; size = size * 5 + 1) {
                void *block = memkind_malloc(kinds[i], size);

                if (!block)
                    _exit(1);
                memkind_free(round % 2 ? NULL : kinds[i], block);
            }
    _exit(0);
}

/* Children of fork(2) would wait for ever for locks that threads of the parent hold. */
Test(onetbb, children_do_not_wait_for_the_programs_own_use)
{
    pthread_t threads[THREADS];
    memkind_t file;

    open_onetbb();
    cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &file), 0);
    memkind_free(file, memkind_malloc(file, 1));
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, i % 2 ? use_pools : use_onetbb, NULL), 0);
    for (size_t i = 0; i < FORKS; i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            alarm(60);
            allocate_and_exit(file);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0, "child %zu: wait status %d", i, status);
    }
    stop = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(memkind_destroy_kind(file), 0);
}

/* --- the loader's names ----------------------------------------------------------------------- */

/* How many instances of libtbbmalloc there are, and the file of each. */
static int look_at_name(struct dl_phdr_info *module, size_t size, void *count)
{
    const char *name = strrchr(module->dlpi_name, '/');
    char start[SELFMAG];
    int file;

    (void)size;
    cr_expect_null(strstr(module->dlpi_name, "/fd/"), "%s", module->dlpi_name);
    if (!name || strcmp(name, "/libtbbmalloc.so.2") != 0)
        return 0;
    ++*(int *)count;
    file = open(module->dlpi_name, O_RDONLY);
    cr_assert_geq(file, 0, "%s", module->dlpi_name);
    cr_expect_eq(read(file, start, sizeof start), (ssize_t)sizeof start);
    cr_expect_arr_eq(start, ELFMAG, SELFMAG, "%s", module->dlpi_name);
    close(file);
    return 0;
}

/* Who wants a library's symbols opens the name that the loader has for it: a debugger, a handler of
 * crashes, a sanitizer. That must be the library's file, and no descriptor of the program's. */
Test(onetbb, every_instance_is_named_by_its_file)
{
    struct link_map *shared;
    void *library;
    int count = 0;

    open_onetbb();
    memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 1));
    dl_iterate_phdr(look_at_name, &count);
    cr_assert_eq(count, test_tbb() ? 2 : 1);

    /* The program has the shared one by either name. */
    library = dlopen("libtbbmalloc.so.2", RTLD_NOW);
    cr_assert_eq(dlinfo(library, RTLD_DI_LINKMAP, &shared), 0);
    cr_assert_eq(dlsym(library, "scalable_malloc"), *(void **)&scalable_malloc);
    cr_assert_eq(dlopen(shared->l_name, RTLD_NOW), library);
}

/* --- the program's own keys ------------------------------------------------------------------- */

/* The child keeps the values of the forking thread, whatever numbers the keys have, and whichever
 * kind a number belonged to before. */
Test(onetbb, a_child_keeps_thread_specific_values)
{
    enum { KEYS = 20 };
    pthread_key_t keys[KEYS];
    void *values[KEYS];
    memkind_t kept, gone[4];
    int status;
    pid_t child;

    cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &kept), 0);
    for (size_t i = 0; i < LENGTH(gone); i++)
        cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &gone[i]), 0);
    for (size_t i = 0; i < LENGTH(gone); i++)
        cr_assert_eq(memkind_destroy_kind(gone[i]), 0);
    for (size_t i = 0; i < KEYS; i++) {
        cr_assert_eq(pthread_key_create(&keys[i], NULL), 0);
        values[i] = memkind_malloc(kept, 100);
        cr_assert_eq(pthread_setspecific(keys[i], values[i]), 0);
    }
    child = fork();
    if (child == 0) {
        int lost = 0;

        for (size_t i = 0; i < KEYS; i++)
            lost += pthread_getspecific(keys[i]) != values[i];
        _exit(lost);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "wait status %d", status);
    cr_assert_eq(memkind_destroy_kind(kept), 0);
}

/* --- ends of threads that wait for each other ------------------------------------------------- */

static pthread_key_t joins; /* its values are threads, which its destructor joins */
static atomic_bool in_destructor;

static void join(void *thread)
{
    in_destructor = true;
    pthread_join(*(pthread_t *)thread, NULL);
}

static void *joined(void *unused)
{
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
    while (!in_destructor)
        usleep(1000);
    usleep(200000); /* the main thread wants no exits meanwhile */
    return unused;
}

static void *joining(void *unused)
{
    static pthread_t thread;

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
    cr_assert_eq(pthread_create(&thread, NULL, joined, NULL), 0);
    cr_assert_eq(pthread_setspecific(joins, &thread), 0);
    return unused;
}

/* A kind is destroyed while a thread's destructor joins a second thread, which then ends, too. */
Test(onetbb, a_destructor_joins_a_thread_while_a_kind_is_destroyed)
{
    pthread_t thread;
    memkind_t kind;

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    cr_assert_eq(pthread_key_create(&joins, join), 0);
    cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &kind), 0);
    cr_assert_eq(pthread_create(&thread, NULL, joining, NULL), 0);
    while (!in_destructor)
        usleep(1000);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    pthread_join(thread, NULL);
}

/* --- the instance ----------------------------------------------------------------------------- */

/* That is what makes the above safe: the locks that a child needs are nobody else's. */
Test(onetbb, the_library_has_an_instance_of_its_own)
{
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    cr_assert_eq(test_mappings_named("memfd:libtbbmalloc.so.2") != 0, test_tbb());
}
