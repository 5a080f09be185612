/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_any_thread: every function may be called by threads that are cancelled, and by those with
 * the smallest stack there is.
 *
 * No function is a cancellation point. A thread that was cancelled goes on to the end of the call
 * it is in, whatever system calls that makes, and ends at its own next cancellation point; other
 * threads, and a fork, find the library as if nothing had happened. A thread that is cancelled
 * asynchronously may end at any instruction, but leaves no lock behind.
 *
 * Each operation runs in a child of its own, since a first use happens once.
 */
#include "busy.h"

#include <hbwmalloc.h>
#include <memkind_memtier.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(any_thread, .init = test_with_nodes, .timeout = 280);

/* --- operations ------------------------------------------------------------------------------- */

static memkind_t file_kind, fixed_kind, victim;
static void *area, *block;

static void *map_pages(void *context, size_t size, size_t alignment)
{
    char *address =
        mmap(NULL, size + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)context;
    close(open("/dev/null", O_RDONLY)); /* cancellation points */
    if (address == MAP_FAILED)
        return NULL;
    return address + (-(uintptr_t)address & (alignment - 1));
}

static void unmap_pages(void *context, void *address, size_t size)
{
    (void)context;
    close(open("/dev/null", O_RDONLY));
    munmap(address, size);
}

static void sink(void *opaque, const char *text)
{
    (void)opaque, (void)text;
    close(open("/dev/null", O_RDONLY));
}

static void use_kind(memkind_t kind)
{
    void *blocks[100], *aligned = NULL;

    for (size_t i = 0; i < LENGTH(blocks); i++)
        blocks[i] = memkind_malloc(kind, i % 10 ? i * 300 : 300000);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        blocks[i] = memkind_realloc(kind, blocks[i], i % 10 ? 2 * i * 300 + 1 : 700000);
    memkind_posix_memalign(kind, &aligned, 65536, 200000);
    memkind_free(NULL, memkind_defrag_reallocate(kind, aligned) ? NULL : aligned);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(i % 2 ? kind : NULL, blocks[i]);
    memkind_free(kind, memkind_calloc(kind, 1, 2 * MIB));
}

static void use_regular(void)
{
    use_kind(MEMKIND_REGULAR);
}

static void use_default(void)
{
    use_kind(MEMKIND_DEFAULT);
}

static void use_high_bandwidth(void)
{
    use_kind(MEMKIND_HBW);
    memkind_check_available(MEMKIND_HBW);
}

static void use_dax(void)
{
    use_kind(MEMKIND_DAX_KMEM);
}

static void use_local(void)
{
    use_kind(MEMKIND_LOWEST_LATENCY_LOCAL);
    use_kind(MEMKIND_HIGHEST_CAPACITY);
}

static void use_all(void)
{
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++) {
        memkind_t kind;

        if (memkind_get_kind_by_partition(i, &kind) == 0)
            use_kind(kind);
    }
}

static void use_file(void)
{
    use_kind(file_kind);
}

static void fill_file(void)
{
    void *blocks[100];

    for (size_t i = 0; i < LENGTH(blocks); i++)
        blocks[i] = memkind_malloc(file_kind, 2 * MIB); /* until there is no more */
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(NULL, blocks[i]);
}

static void use_fixed(void)
{
    use_kind(fixed_kind);
}

static void use_large(void)
{
    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 200 * MIB));
    memkind_free(file_kind, memkind_malloc(file_kind, 40 * MIB));
}

static void create_file(void)
{
    memkind_t kind;

    if (memkind_create_pmem("/tmp", 16 * MIB, &kind) == 0)
        memkind_free(NULL, memkind_malloc(kind, 100));
}

static void create_others(void)
{
    const struct memkind_page_ops ops = {.map = map_pages, .unmap = unmap_pages};
    memkind_t kind;

    if (test_create_kind((memkind_bits_t)0, &kind) == 0)
        memkind_free(NULL, memkind_malloc(kind, 100));
    if (memkind_create_nodes("0", MEMKIND_POLICY_BIND_ALL, 0, &kind) == 0)
        memkind_destroy_kind(kind);
    if (memkind_create_custom(&ops, NULL, &kind) == 0) {
        use_kind(kind);
        memkind_destroy_kind(kind);
    }
}

static void destroy(void)
{
    memkind_destroy_kind(victim);
}

static void take_statistics(void)
{
    size_t value;

    memkind_update_cached_stats();
    memkind_get_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_RESIDENT, &value);
    memkind_stats_print(sink, NULL, MEMKIND_STAT_PRINT_ALL);
}

static void set_background_threads(void)
{
    memkind_set_bg_threads(true);
    memkind_set_bg_threads(false);
}

static void ask(void)
{
    memkind_check_dax_path("/tmp");
    memkind_get_capacity(MEMKIND_REGULAR);
    memkind_get_capacity(file_kind);
    memkind_check_available(MEMKIND_DAX_KMEM);
    memkind_refresh();
    memkind_free(NULL, block);
    hbw_check_available();
    hbw_verify_memory_region(area, MIB, 0);
}

static void use_hbwmalloc(void)
{
    void *aligned = NULL;

    hbw_free(hbw_malloc(100));
    hbw_free(hbw_realloc(hbw_calloc(100, 100), 10 * MIB));
    hbw_posix_memalign_psize(&aligned, 64, 100, HBW_PAGESIZE_2MB);
    hbw_free(aligned);
}

static void use_tiers(void)
{
    struct memtier_builder *builder = memtier_builder_new(MEMTIER_POLICY_STATIC_RATIO);
    struct memtier_memory *memory;

    memtier_builder_add_tier(builder, MEMKIND_REGULAR, 1);
    memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 2);
    memory = memtier_builder_construct_memtier_memory(builder);
    memtier_free(memtier_realloc(memory, memtier_malloc(memory, 100), 4 * MIB));
    memtier_delete_memtier_memory(memory);
    memtier_builder_delete(builder);
}

static void write_log(void)
{
    int own;
    memkind_t kind;

    memkind_free(NULL, &own);
    memkind_create_pmem("/nowhere", 0, &kind);
    memkind_stats_print(NULL, NULL, MEMKIND_STAT_PRINT_ALL);
}

static const struct operation {
    const char *name;
    void (*run)(void);
    bool first; /* in a process that has not used the library before */
} operations[] = {
    {"first use", use_regular, true},
    {"first use of DEFAULT", use_default, true},
    {"first use of HBW", use_high_bandwidth, true},
    {"first use of DAX_KMEM", use_dax, true},
    {"first use of local kinds", use_local, true},
    {"first use of all kinds", use_all, true},
    {"first use by creation of a kind of a file", create_file, true},
    {"first use by creation of other kinds", create_others, true},
    {"first use by questions", ask, true},
    {"first use by statistics", take_statistics, true},
    {"first use by hbwmalloc", use_hbwmalloc, true},
    {"first use by tiers", use_tiers, true},
    {"first line of the log", write_log, true},
    {"blocks", use_regular, false},
    {"blocks of a file", use_file, false},
    {"a file's limit", fill_file, false},
    {"blocks of an area", use_fixed, false},
    {"large blocks", use_large, false},
    {"creation of a kind of a file", create_file, false},
    {"creation of other kinds", create_others, false},
    {"destruction", destroy, false},
    {"statistics", take_statistics, false},
    {"background threads", set_background_threads, false},
    {"questions", ask, false},
    {"hbwmalloc", use_hbwmalloc, false},
    {"tiers", use_tiers, false},
    {"the log", write_log, false},
};

/* --- the thread that is cancelled, and the others --------------------------------------------- */

static const struct operation *operation;
static atomic_int rounds; /* that it has come through */

static void *cancelled(void *argument)
{
    (void)argument;
    pthread_cancel(pthread_self()); /* pending from here on */
    operation->run();
    atomic_fetch_add(&rounds, 1);
    pthread_testcancel();
    return NULL;
}

static void *forever(void *argument)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;) {
        operation->run();
        atomic_fetch_add(&rounds, 1);
    }
    return argument;
}

static void *other(void *argument)
{
    memkind_t own = busy_create();
    bool *well = argument;

    *well = own && busy_use(own, 3) && memkind_destroy_kind(own) == 0 &&
            busy_use(MEMKIND_REGULAR, 4) && busy_use(MEMKIND_DEFAULT, 5) &&
            busy_use(MEMKIND_HBW_PREFERRED, 6) && busy_use(MEMKIND_HIGHEST_CAPACITY, 7) &&
            memkind_update_cached_stats() == 0;
    memkind_free(NULL, memkind_malloc(MEMKIND_DAX_KMEM, 10));
    memkind_check_available(MEMKIND_HBW);
    if (file_kind)
        memkind_free(NULL, memkind_malloc(file_kind, 3 * MIB));
    return NULL;
}

static bool others_are_well(void)
{
    bool well = false;
    pthread_t thread;
    pid_t child;

    if (pthread_create(&thread, NULL, other, &well))
        return false;
    pthread_join(thread, NULL);
    if (!well)
        return false;
    child = fork();
    if (child == 0) {
        alarm(BUSY_SECONDS);
        well = false;
        other(&well);
        _exit(well ? 0 : 1);
    }
    return child > 0 && busy_status_of(child) == 0;
}

static bool begin(void)
{
    area = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (operation->first)
        return true;
    if (memkind_create_pmem("/tmp", 64 * MIB, &file_kind) ||
        memkind_create_pmem("/tmp", 32 * MIB, &victim) ||
        memkind_create_fixed(area, 32 * MIB, &fixed_kind))
        return false;
    block = memkind_malloc(file_kind, 20 * MIB);
    use_kind(victim);
    return block && memkind_malloc(victim, 100);
}

/* Exit status of a child: 0, or what went wrong. */
static int deferred(void)
{
    pthread_t thread;

    if (!begin())
        return 1;
    if (pthread_create(&thread, NULL, cancelled, NULL))
        return 2;
    pthread_join(thread, NULL);
    if (!rounds)
        return 3;
    return others_are_well() ? 0 : 4;
}

static int asynchronous(void)
{
    uint64_t random = 1;

    if (!begin())
        return 1;
    for (int i = 0; i < 40; i++) {
        pthread_t thread;

        rounds = 0;
        if (pthread_create(&thread, NULL, forever, NULL))
            return 2;
        while (!rounds)
            usleep(100);
        usleep((useconds_t)(test_random(&random) % 3000));
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    return others_are_well() ? 0 : 4;
}

static void *run_once(void *argument)
{
    operation->run();
    return argument;
}

static int on_a_small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (!begin())
        return 1;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)16 * KIB) ||
        pthread_create(&thread, &attributes, run_once, NULL))
        return 2;
    pthread_join(thread, NULL);
    return others_are_well() ? 0 : 4;
}

static void run_in_child(const struct operation *which, int (*what)(void))
{
    int status, errors = open("/dev/null", O_WRONLY);
    pid_t child = fork();

    operation = which;
    if (child == 0) {
        alarm(BUSY_SECONDS);
        dup2(errors, STDERR_FILENO);
        _exit(what());
    }
    close(errors);
    cr_assert_gt(child, 0);
    status = busy_status_of(child);
    cr_expect_eq(status, 0, "%s: %d", which->name, status);
}

/* --- tests ------------------------------------------------------------------------------------ */

Test(any_thread, no_function_is_a_cancellation_point)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer cannot start threads in a forked child");
    for (size_t i = 0; i < LENGTH(operations); i++)
        run_in_child(&operations[i], deferred);
}

Test(any_thread, is_not_cancelled_with_the_log_either)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer cannot start threads in a forked child");
    setenv("MEMKIND_DEBUG", "1", 1);
    for (size_t i = 0; i < LENGTH(operations); i++)
        run_in_child(&operations[i], deferred);
}

/* libtbbmalloc takes locks of its own in the middle of a small block's allocation, where a guard
 * would be a good part of what it costs: under TBB that is as it is with malloc(). */
Test(any_thread, cancelled_asynchronously_leaves_no_lock)
{
    static const struct operation own[] = {
        {"creation of other kinds", create_others, false},
        {"blocks of a file", use_file, false},
        {"large blocks", use_large, false},
        {"statistics", take_statistics, false},
        {"questions", ask, false},
        {"creation of a kind of a file", create_file, false},
    };

    if (TEST_SANITIZED)
        test_skip("the sanitizer's own functions take locks, too");
    for (size_t i = 0; i < LENGTH(own); i++)
        if (!test_tbb() || own[i].run == use_large || own[i].run == ask ||
            own[i].run == take_statistics)
            run_in_child(&own[i], asynchronous);
}

Test(any_thread, does_with_a_small_stack)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer's own frames are larger than the stack");
    for (size_t i = 0; i < LENGTH(operations); i++)
        run_in_child(&operations[i], on_a_small_stack);
}

Test(any_thread, does_with_a_small_stack_and_the_log)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer's own frames are larger than the stack");
    setenv("MEMKIND_DEBUG", "1", 1);
    for (size_t i = 0; i < LENGTH(operations); i++)
        run_in_child(&operations[i], on_a_small_stack);
}
