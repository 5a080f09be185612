/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * program: blocks that rules can tell apart, by who asks for them, how large they are, in which
 * thread, and of which C++ type. Built without optimization, so that each function is one.
 *
 * usage: program [plugins LIBRARY_A LIBRARY_B | churn | half | cancel | kinds [aligned] | limit]
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#define COUNT 100

struct particle {
    double place[4];
};

struct own {
    char bytes[48];
    void *operator new(std::size_t size)
    {
        return ::operator new(size);
    }
};

static void *volatile sink;

extern "C" void *first(std::size_t size)
{
    return sink = malloc(size); /* LINE of first */
}

extern "C" void *second(std::size_t size)
{
    return sink = calloc(1, size);
}

namespace space
{
void *third(std::size_t size)
{
    return sink = std::malloc(size);
}
} // namespace space

extern "C" void *grow(void *block, std::size_t size)
{
    return sink = realloc(block, size);
}

static void *in_thread(void *)
{
    pthread_setname_np(pthread_self(), "worker");
    for (int i = 0; i < COUNT; i++)
        free(second(700));
    return nullptr;
}

/* Both libraries have a function of this name, and each is opened where the other one was. */
static int plugins(char **paths)
{
    for (int round = 0; round < 20; round++) {
        void *library = dlopen(paths[round % 2], RTLD_NOW | RTLD_LOCAL);
        auto ask =
            library ? reinterpret_cast<void *(*)(std::size_t)>(dlsym(library, "ask")) : nullptr;

        if (!ask) {
            std::fprintf(stderr, "program: %s\n", dlerror());
            return 1;
        }
        for (int i = 0; i < 5; i++)
            free(ask(600));
        dlclose(library);
    }
    return 0;
}

static void *churn(void *)
{
    void *blocks[64] = {};
    std::uint32_t state = 1;

    for (int i = 0; i < 20000; i++) {
        void **block = &blocks[(state = state * 1664525 + 1013904223) >> 26];

        if (*block && state & 1) {
            *block = grow(*block, state >> 20);
        } else {
            free(*block);
            *block = i % 2 ? first(state >> 21) : space::third(state >> 21);
        }
        if (*block)
            std::memset(*block, i, malloc_usable_size(*block));
    }
    for (void *block : blocks)
        free(block);
    return nullptr;
}

/* Threads that allocate, free and fork at a time. */
static int churn_in_threads()
{
    pthread_t threads[4];
    int status = 0;

    for (pthread_t &thread : threads)
        pthread_create(&thread, nullptr, churn, nullptr);
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        int ended = 1;

        if (child == 0) {
            for (int j = 0; j < 100; j++)
                free(second(900));
            _exit(0);
        }
        waitpid(child, &ended, 0);
        status |= ended;
    }
    for (pthread_t &thread : threads)
        pthread_join(thread, nullptr);
    std::puts(status ? "a child died" : "well");
    return status;
}

/* A block that is more than half of a limit has other sizes. */
static int resize_half()
{
    void *block = nullptr;

    for (std::size_t size : {6000000, 5000000, 6000000, 7000000, 9000000, 6000000, 5000000})
        block = grow(block, size);
    free(block);
    return 0;
}

/* Ends at its next cancellation point. */
static void *allocate_cancelled(void *)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(state, nullptr);
    free(first(5000));
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return sink;
}

static int be_cancelled()
{
    void *result = PTHREAD_CANCELED;
    pthread_t thread;

    pthread_create(&thread, nullptr, allocate_cancelled, nullptr);
    pthread_join(thread, &result);
    std::puts(result == PTHREAD_CANCELED ? "cancelled in malloc" : "well");
    return 0;
}

/* --- kinds by size ---------------------------------------------------------------------------- */

static const char *kind_of(void *block)
{
    static const auto detect =
        reinterpret_cast<void *(*)(void *)>(dlsym(RTLD_DEFAULT, "memkind_detect_kind"));

    for (const char *name : {"MEMKIND_DEFAULT", "MEMKIND_HBW", "MEMKIND_REGULAR"})
        if (detect(block) == *static_cast<void **>(dlsym(RTLD_DEFAULT, name)))
            return std::strchr(name, '_') + 1;
    return "?";
}

static void *ask_aligned(std::size_t size)
{
    void *block = aligned_alloc(64, size);

    if (reinterpret_cast<std::uintptr_t>(block) % 64)
        std::puts("a block is not aligned");
    return block;
}

/* From which size on blocks of first(), say, are of which kind; of each size there are several at a
 * time, and each is freed, so that the next ones are of the thread's cache. */
static int tell_kinds(void *(*ask)(std::size_t))
{
    const char *last = "";

    for (std::size_t size = 0; size <= 6000; size++) {
        char *blocks[3];

        for (char *&block : blocks)
            block = static_cast<char *>(ask(size));
        for (char *block : blocks) {
            if (reinterpret_cast<std::uintptr_t>(block) % 16 || malloc_usable_size(block) < size ||
                kind_of(block) != kind_of(blocks[0]))
                std::printf("a block of %zu bytes is not as it should be\n", size);
            std::memset(block, 1, size);
        }
        if (kind_of(blocks[0]) != last)
            std::printf("%zu %s ", size, last = kind_of(blocks[0]));
        for (char *block : blocks)
            free(block);
    }
    std::puts("");
    return 0;
}

/* How many blocks of a KiB are of which kind, and when they are made small; three times over, so
 * that what is left of the first ones shows. */
static int tell_limit()
{
    for (int round = 0; round < 3; round++) {
        void *blocks[COUNT];
        int hbw = 0, regular = 0, small = 0;

        for (int i = 0; i < COUNT; i++) {
            blocks[i] = i % 4 == 0   ? malloc(1000)
                        : i % 4 == 1 ? malloc(1024)
                        : i % 4 == 2 ? calloc(1, 1024)
                                     : aligned_alloc(64, 1024);
            hbw += !std::strcmp(kind_of(blocks[i]), "HBW");
            regular += !std::strcmp(kind_of(blocks[i]), "REGULAR");
        }
        for (int i = 0; i < COUNT; i += 2) {
            blocks[i] = realloc(blocks[i], 16);
            small += !std::strcmp(kind_of(blocks[i]), "DEFAULT");
        }
        std::printf("%d %d %d%s", hbw, regular, small, round < 2 ? ", " : "\n");
        for (void *block : blocks)
            free(block);
    }
    return 0;
}

static void blocks_of_all_sorts()
{
    std::vector<particle> particles;
    pthread_t thread;
    void *grown = nullptr;

    for (int i = 0; i < COUNT; i++) {
        first(1000);
        second(2000);
        space::third(3000);
        sink = new own;
    }
    particles.reserve(COUNT);
    auto unique = std::make_unique<particle>();
    sink = unique.get();
    for (std::size_t size = 16; size <= 65536; size *= 2)
        grown = grow(grown, size);
    free(grown);
    pthread_create(&thread, nullptr, in_thread, nullptr);
    pthread_join(thread, nullptr);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !std::strcmp(argv[1], "plugins"))
        return plugins(argv + 2);
    if (argc == 2 && !std::strcmp(argv[1], "churn"))
        return churn_in_threads();
    if (argc == 2 && !std::strcmp(argv[1], "half"))
        return resize_half();
    if (argc == 2 && !std::strcmp(argv[1], "cancel"))
        return be_cancelled();
    if (argc == 2 && !std::strcmp(argv[1], "kinds"))
        return tell_kinds(first);
    if (argc == 3 && !std::strcmp(argv[1], "kinds"))
        return tell_kinds(ask_aligned);
    if (argc == 2 && !std::strcmp(argv[1], "limit"))
        return tell_limit();
    blocks_of_all_sorts();
    return 0;
}
