/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * rules: an ordinary program that relies on what glibc promises of malloc and its family, and on
 * what it does without promising. Run with libmemkind-preload.so, and without where that makes
 * sense. Prints "well".
 *
 *   rules        the rules, of blocks of all sizes and from all times of a process's life
 *   rules check  a pointer that is nobody's block is freed (MEMKIND_CHECK)
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPECT(condition)                                                  \
    do {                                                                   \
        if (!(condition)) {                                                \
            fprintf(stderr, "rules: line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                      \
        }                                                                  \
    } while (0)

/* --- from before libc has started to after main() ----------------------------------------------
 */

static char *earliest, *early_grown, *constructed;

static void before_libc(void)
{
    char *aligned = NULL;

    earliest = malloc(100);
    strcpy(earliest, "earliest");
    early_grown = realloc(malloc(10), 3000);
    free(calloc(3, 50));
    EXPECT(posix_memalign((void **)&aligned, 256, 10) == 0 && (uintptr_t)aligned % 256 == 0);
    free(aligned);
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = before_libc;

__attribute__((constructor)) static void construct(void)
{
    constructed = strdup("constructed");
}

__attribute__((destructor)) static void destruct(void)
{
    EXPECT(strcmp(constructed, "constructed") == 0);
    free(constructed);
    free(malloc(100000));
}

static void check_early(void)
{
    EXPECT(strcmp(earliest, "earliest") == 0 && malloc_usable_size(earliest) >= 100);
    earliest = realloc(earliest, 100000);
    EXPECT(strcmp(earliest, "earliest") == 0);
    earliest[99999] = 1;
    free(earliest);
    free(early_grown);
}

/* --- sizes and alignments --------------------------------------------------------------------- */

static void check_alignment(void)
{
    for (size_t size = 0; size <= 300; size++) {
        void *volatile block = malloc(size), *volatile other = malloc(size);

        EXPECT(block && other && block != other);
        EXPECT((uintptr_t)block % 16 == 0 && malloc_usable_size(block) >= size);
        block = realloc(block, size + 1);
        EXPECT((uintptr_t)block % 16 == 0);
        free(block);
        free(other);
        block = calloc(size, 1);
        EXPECT(block && (uintptr_t)block % 16 == 0);
        free(block);
    }
}

static void check_strange_alignment(void)
{
    static const size_t strange[] = {0, 1, 3, 17, 24, 100, 5000};

    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        void *volatile block = memalign(strange[i], 33);
        volatile size_t alignment = strange[i];

        EXPECT(block && (uintptr_t)block % 16 == 0);
        free(block);
        block = aligned_alloc(alignment, 33); /* no multiple, maybe no power of two either */
        EXPECT(block);
        free(block);
    }
    for (size_t alignment = 16; alignment <= (size_t)4 << 20; alignment *= 2) {
        void *volatile block = aligned_alloc(alignment, 0);

        EXPECT(block && (uintptr_t)block % alignment == 0);
        free(block);
    }
}

static void check_errors(void)
{
    void *unchanged = &unchanged;
    volatile size_t huge = SIZE_MAX - 5, odd = 24, small = 4;
    void *volatile block;

    EXPECT(posix_memalign(&unchanged, odd, 10) == EINVAL && unchanged == &unchanged);
    EXPECT(posix_memalign(&unchanged, small, 10) == EINVAL);
    errno = 0;
    EXPECT(posix_memalign(&unchanged, 64, huge) == ENOMEM && errno == 0);
    EXPECT(unchanged == &unchanged);
    errno = 0;
    EXPECT(!memalign(huge, 10) && errno == EINVAL);
    errno = 0;
    EXPECT(!pvalloc(huge) && errno == ENOMEM);
    errno = 0;
    EXPECT(!valloc(huge) && errno == ENOMEM);
    block = strdup("stays");
    errno = 0;
    EXPECT(!realloc(block, huge) && errno == ENOMEM && strcmp(block, "stays") == 0);
    errno = 0;
    EXPECT(!reallocarray(block, huge, 2) && errno == ENOMEM && strcmp(block, "stays") == 0);
    free(block);
    block = pvalloc(0);
    EXPECT(block && malloc_usable_size(block) >= (size_t)sysconf(_SC_PAGESIZE));
    free(block);
}

/* --- functions of C23, and questions -----------------------------------------------------------
 */

/* This libc may not have them yet. */
static void check_c23(void)
{
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*aligned)(void *, size_t, size_t) =
        (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");

    EXPECT(sized && aligned);
    for (int i = 0; i < 1000; i++) {
        sized(malloc(100000), 100000);
        aligned(aligned_alloc(4096, 100000), 4096, 100000);
    }
    EXPECT(mallinfo2().uordblks < (size_t)50000000);
    sized(NULL, 10);
}

static void check_questions(void)
{
    size_t before = mallinfo2().uordblks, during;
    char *block = malloc(50000000);

    memset(block, 1, 50000000);
    during = mallinfo2().uordblks;
    EXPECT(during >= before + 50000000 && mallinfo2().arena >= during);
    EXPECT(mallinfo().uordblks >= 50000000);
    free(block);
    EXPECT(mallinfo2().uordblks < during);
    malloc_trim(0);
    EXPECT(malloc_usable_size(NULL) == 0);
}

/* --- blocks of the next allocator --------------------------------------------------------------
 */

/* Sizes beyond libc's cache of a thread, whose blocks count as used. */
static void check_foreign(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    void *(*libc_malloc)(size_t) = (void *(*)(size_t))dlsym(libc, "malloc");
    struct mallinfo2 (*libc_info)(void) = (struct mallinfo2(*)(void))dlsym(libc, "mallinfo2");
    char *first = libc_malloc(2000), *small, *large;
    size_t before = libc_info().uordblks;

    small = libc_malloc(3000);
    large = libc_malloc(10000000);
    EXPECT(small && malloc_usable_size(small) >= 3000 && large);
    strcpy(small, "of libc");
    small = realloc(small, 50000);
    EXPECT(strcmp(small, "of libc") == 0);
    EXPECT(libc_info().uordblks >= before + 50000); /* it is libc's still */
    errno = 77;
    free(small);
    free(large);
    EXPECT(errno == 77 && libc_info().uordblks == before);
    free(first);
}

int main(int argc, char **argv)
{
    static _Alignas(64) char nobody[4096];

    if (argc > 1 && strcmp(argv[1], "check") == 0) {
        void *volatile block = nobody + 64;

        free(block);
        puts("well");
        return 0;
    }
    check_early();
    check_alignment();
    check_strange_alignment();
    check_errors();
    check_c23();
    check_questions();
    check_foreign();
    puts("well");
    return 0;
}
