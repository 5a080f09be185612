/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_dlopen: the library as a plugin.
 *
 * It can be opened with dlopen(3) by any program, in any thread, at any time, and closed again;
 * threads that have used it may end after that. It asks for at most 64 bytes of the thread-local
 * storage that glibc keeps for such libraries. Nothing happens at load: loading maps the file's
 * segments and no more, starts no thread, opens no file, reads nothing of sysfs, and runs no code
 * but the compiler's own.
 *
 * This program is not linked with the library: it is a plugin here. Its path is in
 * MEMKIND_TEST_LIBRARY, a definition; the environment variable of the same name comes first.
 */
#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define TLS_BUDGET \
    72 /* of 58 bytes; the order that the linker gives them decides what is between */

/* GCC's own on 64-bit ARM: it asks the processor for atomic instructions. */
#if defined(__aarch64__)
#define CONSTRUCTORS 3
#else
#define CONSTRUCTORS 2
#endif
#define NODE_FILES "/sys/devices/system/node"

static void bare(void)
{
    unsetenv("MEMKIND_DEBUG");
    unsetenv("MEMKIND_HEAP_MANAGER");
    setenv("MEMKIND_HBW_NODES", "0", 1);
}

TestSuite(dlopen, .init = bare, .timeout = 240);

/* --- open, use, close ------------------------------------------------------------------------- */

Test(dlopen, use_close_and_open_again)
{
    struct plugin plugin;

    plugin_open(&plugin);
    cr_assert_null(plugin_use(&plugin));
    plugin_use_in_threads(&plugin, 4);
    plugin_close(&plugin);
    plugin_open(&plugin);
    cr_assert_null(plugin_use(&plugin));
    plugin_use_in_threads(&plugin, 4);
    plugin_close(&plugin);
}

/* What stays after dlclose() is the same library, not another copy of it: blocks stay valid. */
Test(dlopen, blocks_outlive_dlclose)
{
    struct plugin plugin;
    unsigned char *block;

    plugin_open(&plugin);
    block = plugin.malloc(plugin.kinds[1], 10000);
    cr_assert(block);
    memset(block, 0x17, 10000);
    plugin_close(&plugin);
    for (int i = 0; i < 10000; i++)
        cr_assert_eq(block[i], 0x17);
    plugin_open(&plugin);
    cr_expect_eq(plugin.detect(block), plugin.kinds[1]);
    plugin.free(NULL, block);
    plugin_close(&plugin);
}

/* Threads that were there before the library was. */
static pthread_barrier_t barrier;
static struct plugin shared;

static void *wait_for_library(void *argument)
{
    char *wrong;

    (void)argument;
    pthread_barrier_wait(&barrier); /* opened */
    wrong = plugin_use(&shared);
    pthread_barrier_wait(&barrier); /* used */
    pthread_barrier_wait(&barrier); /* closed */
    return wrong;
}

static void *open_in_thread(void *argument)
{
    (void)argument;
    plugin_open(&shared);
    return plugin_use(&shared);
}

static void threads_from_before(bool open_here)
{
    pthread_t old[8], opener;

    pthread_barrier_init(&barrier, NULL, LENGTH(old) + 1);
    for (size_t i = 0; i < LENGTH(old); i++)
        cr_assert_eq(pthread_create(&old[i], NULL, wait_for_library, NULL), 0);
    if (open_here) {
        plugin_open(&shared);
    } else {
        cr_assert_eq(pthread_create(&opener, NULL, open_in_thread, NULL), 0);
        plugin_join(opener);
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    plugin_close(&shared);
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < LENGTH(old); i++)
        plugin_join(old[i]); /* these threads end after dlclose(), with full caches */
}

Test(dlopen, threads_from_before_use_it_and_end_after_dlclose)
{
    threads_from_before(true);
}

Test(dlopen, opened_in_a_thread_that_ends)
{
    threads_from_before(false);
}

/* A thread opens, uses and closes; its destructors run after that. */
static void *open_and_close(void *argument)
{
    struct plugin plugin;
    char *wrong;

    (void)argument;
    plugin_open(&plugin);
    wrong = plugin_use(&plugin);
    plugin_close(&plugin);
    return wrong;
}

static size_t mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    size_t count = 0;
    int c;

    cr_assert(file);
    while ((c = getc(file)) != EOF)
        count += c == '\n';
    fclose(file);
    return count;
}

Test(dlopen, a_hundred_cycles_in_threads)
{
    size_t before = 0;

    for (int i = 0; i < 100; i++) {
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, open_and_close, NULL), 0);
        plugin_join(thread);
        if (i == 50)
            before = mappings();
    }
    if (!SANITIZED)
        cr_expect_leq(mappings(), before + 4, "mappings: %zu, were %zu", mappings(), before);
}

Test(dlopen, a_hundred_cycles_without_use)
{
    size_t before = 0;

    for (int i = 0; i < 100; i++) {
        struct plugin plugin;

        plugin_open(&plugin);
        plugin_close(&plugin);
        if (i == 0)
            before = mappings();
    }
    if (!SANITIZED) /* its runtime maps memory of its own */
        cr_expect_eq(mappings(), before);
}

/* Several threads open and close at once: a thread's first use may meet another's dlclose(). */
static void *open_and_close_often(void *argument)
{
    char *wrong = NULL;

    for (int i = 0; i < 100 && !wrong; i++)
        wrong = open_and_close(argument);
    return wrong;
}

Test(dlopen, cycles_in_several_threads_at_once)
{
    pthread_t threads[4];

    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, open_and_close_often, NULL), 0);
    for (size_t i = 0; i < LENGTH(threads); i++)
        plugin_join(threads[i]);
}

/* After fork(), a child that never saw the library opens it, while the parent has it, too. */
Test(dlopen, in_parent_and_child)
{
    struct plugin plugin;
    int status;
    pid_t child = fork();

    cr_assert_geq(child, 0);
    plugin_open(&plugin);
    if (child == 0)
        _exit(plugin_use(&plugin) ? 1 : 0);
    cr_expect_null(plugin_use(&plugin));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "the child's status is %#x", status);
    plugin_close(&plugin);
}

/* --- what the file asks for ------------------------------------------------------------------- */

struct segments {
    ElfW(Addr) start, end; /* of the loaded segments */
    size_t tls, alignment; /* size and alignment of the thread-local block */
    const ElfW(Dyn) * dynamic;
    bool found;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *result)
{
    struct segments *segments = result;

    (void)size;
    if (!strstr(info->dlpi_name, "libmemkind.so"))
        return 0;
    memset(segments, 0, sizeof *segments);
    segments->found = true;
    segments->start = ~(ElfW(Addr))0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        ElfW(Addr) start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;

        if (header->p_type == PT_TLS) {
            segments->tls = header->p_memsz;
            segments->alignment = header->p_align;
        } else if (header->p_type == PT_DYNAMIC) {
            segments->dynamic = (const ElfW(Dyn) *)start;
        } else if (header->p_type == PT_LOAD) {
            segments->start = start < segments->start ? start : segments->start;
            segments->end = end > segments->end ? end : segments->end;
        }
    }
    return 1;
}

static struct segments segments_of_library(void)
{
    struct segments segments = {0};

    dl_iterate_phdr(look_at, &segments);
    return segments;
}

static ElfW(Xword) dynamic_value(const struct segments *segments, ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *entry = segments->dynamic; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return entry->d_un.d_val;
    return 0;
}

/* glibc's reserve for libraries that come later is about 1.6 KB for a whole process. The flag
 * DF_STATIC_TLS is there because of the library's own few bytes; jemalloc has none. */
Test(dlopen, takes_little_thread_local_storage)
{
    struct plugin plugin;
    struct segments segments;

    plugin_open(&plugin);
    segments = segments_of_library();
    cr_assert(segments.found);
    cr_expect_leq(segments.tls, TLS_BUDGET, "%zu bytes", segments.tls);
    cr_expect_leq(segments.alignment, 16, "aligned to %zu", segments.alignment);
    plugin_close(&plugin);
}

Test(dlopen, is_bound_at_load_and_never_unloaded)
{
    struct plugin plugin;
    struct segments segments;

    plugin_open(&plugin);
    segments = segments_of_library();
    cr_expect(dynamic_value(&segments, DT_FLAGS_1) & DF_1_NODELETE);
    cr_expect(dynamic_value(&segments, DT_FLAGS_1) & DF_1_NOW);
    plugin_close(&plugin);
    cr_expect(segments_of_library().found, "dlclose() has unloaded the library");
}

/* The loader calls the compiler's frame_dummy and __do_global_dtors_aux, what registers the fork
 * handlers, and at the end what reports leaks under MEMKIND_CHECK=2; nothing else. */
Test(dlopen, has_one_constructor_and_one_destructor)
{
    struct plugin plugin;
    struct segments segments;

    if (SANITIZED) {
        fprintf(stderr, "SKIP: dlopen/has_one_constructor_and_one_destructor: the sanitizer has "
                        "constructors\n");
        cr_skip_test("the sanitizer has constructors");
    }
    plugin_open(&plugin);
    segments = segments_of_library();
    cr_expect_leq(dynamic_value(&segments, DT_INIT_ARRAYSZ), CONSTRUCTORS * sizeof(void *));
    cr_expect_leq(dynamic_value(&segments, DT_FINI_ARRAYSZ), 2 * sizeof(void *));
    cr_expect_eq(dynamic_value(&segments, DT_PREINIT_ARRAYSZ), 0);
    plugin_close(&plugin);
}

/* --- nothing happens at load ------------------------------------------------------------------ */

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    cr_assert(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

#define MAPS_MOST 1024

struct maps {
    size_t count;
    struct {
        unsigned long start, end;
        char line[192];
    } map[MAPS_MOST];
};

static struct maps before, after;

static void read_maps(struct maps *maps)
{
    FILE *file = fopen("/proc/self/maps", "r");

    cr_assert(file);
    maps->count = 0;
    while (maps->count < MAPS_MOST &&
           fgets(maps->map[maps->count].line, sizeof maps->map[0].line, file)) {
        if (sscanf(maps->map[maps->count].line, "%lx-%lx", &maps->map[maps->count].start,
                   &maps->map[maps->count].end) == 2)
            maps->count++;
    }
    fclose(file);
    cr_assert_lt(maps->count, (size_t)MAPS_MOST);
}

static bool was_there(unsigned long start, unsigned long end)
{
    for (size_t i = 0; i < before.count; i++)
        if (before.map[i].start <= start && end <= before.map[i].end)
            return true;
    return false;
}

Test(dlopen, loading_maps_its_segments_only)
{
    void *handle;
    struct segments segments;
    int threads, files;

    if (SANITIZED) {
        fprintf(stderr, "SKIP: dlopen/loading_maps_its_segments_only: the sanitizer maps memory\n");
        cr_skip_test("the sanitizer maps memory");
    }
    dlclose(dlopen("libc.so.6", RTLD_NOW)); /* the loader's own memory is there */
    read_maps(&after);
    read_maps(&before);
    threads = entries("/proc/self/task");
    files = entries("/proc/self/fd");
    handle = dlopen(plugin_path(), RTLD_NOW);
    cr_assert(handle, "%s", dlerror());
    read_maps(&after);
    cr_expect_eq(entries("/proc/self/task"), threads, "loading started a thread");
    cr_expect_eq(entries("/proc/self/fd"), files, "loading opened a file");
    segments = segments_of_library();
    cr_assert(segments.found);
    for (size_t i = 0; i < after.count; i++) {
        unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
        unsigned long first = segments.start & ~(page - 1);
        unsigned long last = (segments.end + page - 1) & ~(page - 1);
        bool of_library = first <= after.map[i].start && after.map[i].end <= last;
        bool of_libc = strstr(after.map[i].line, "[heap]") != NULL; /* the loader used malloc */

        cr_expect(of_library || of_libc || was_there(after.map[i].start, after.map[i].end),
                  "loading mapped %s", after.map[i].line);
    }
    dlclose(handle);
}

/* Whether something below NODE_FILES was opened since the watch was set. */
static bool nodes_were_read(int watch)
{
    char events[4096];

    return read(watch, events, sizeof events) > 0;
}

static const char *look_at_first_use(int watch)
{
    struct plugin plugin;

    plugin_open(&plugin);
    if (nodes_were_read(watch))
        return "loading looked at the machine's nodes";
    plugin.free(plugin.kinds[0], NULL);
    if (nodes_were_read(watch))
        return "freeing NULL looked at the machine's nodes";
    if (plugin_use(&plugin))
        return "it cannot be used";
    if (!nodes_were_read(watch))
        return "the watch saw nothing: this test shows nothing";
    plugin_close(&plugin);
    return NULL;
}

/* The watch sees other processes, too: once alone is enough. */
Test(dlopen, nodes_are_looked_at_by_first_use_not_by_loading)
{
    const char **wrong =
        mmap(NULL, sizeof *wrong, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(wrong, MAP_FAILED);
    for (int attempt = 0; attempt == 0 || (*wrong && attempt < 20); attempt++) {
        int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        pid_t child;

        if (watch < 0 || inotify_add_watch(watch, NODE_FILES, IN_OPEN) < 0) {
            fprintf(stderr,
                    "SKIP: dlopen/nodes_are_looked_at_by_first_use_not_by_loading: %s: %s\n",
                    NODE_FILES, strerror(errno));
            cr_skip_test("%s cannot be watched", NODE_FILES);
        }
        *wrong = "it crashed";
        child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            *wrong = look_at_first_use(watch);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, NULL, 0), child);
        close(watch);
    }
    cr_assert_null(*wrong, "%s", *wrong);
}

/* Environment variables that main() sets after loading count: they are read at first use. */
Test(dlopen, environment_is_read_by_first_use)
{
    struct plugin plugin;
    void *block;

    setenv("MEMKIND_HBW_NODES", "1023", 1); /* no such node */
    plugin_open(&plugin);
    setenv("MEMKIND_HBW_NODES", "0", 1);
    block = plugin.malloc(plugin.kinds[2], 100);
    cr_expect(block, "MEMKIND_HBW_NODES was read when the library was loaded");
    plugin.free(NULL, block);
    plugin_close(&plugin);
}

/* --- a program that has used up the reserve --------------------------------------------------- */

/* The program is run again with the smallest reserve that glibc can be told to have. */
Test(dlopen, works_with_the_smallest_reserve)
{
    const char *inner = getenv("MEMKIND_TEST_INNER");
    int status;
    pid_t child;

    if (inner) {
        struct plugin plugin;

        plugin_open(&plugin);
        cr_assert_null(plugin_use(&plugin));
        plugin_use_in_threads(&plugin, 4);
        plugin_close(&plugin);
        return;
    }
    child = fork();
    if (child == 0) {
        char self[4096], library[4096];
        ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

        if (length <= 0)
            _exit(1);
        self[length] = '\0';
        snprintf(library, sizeof library, "MEMKIND_TEST_LIBRARY=%s", plugin_path());
        execle(self, self, "--filter", "dlopen/works_with_the_smallest_reserve", "-j1", "--quiet",
               (char *)NULL,
               (char *[]){"MEMKIND_TEST_INNER=1", "MEMKIND_HBW_NODES=0", library,
                          "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=0:glibc.rtld.nns=1",
                          NULL});
        _exit(2);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "with GLIBC_TUNABLES=glibc.rtld.optional_static_tls=0: status %#x",
                 status);
}
