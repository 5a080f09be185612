/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * openmp_program: an OpenMP program that knows nothing of libmemkind. LLVM's runtime opens the
 * library by itself and takes the memory of omp_high_bw_mem_alloc and others from it.
 * test_openmp.sh builds it with clang -fopenmp and runs it.
 *
 * Prints, for each allocator, the kind that the library says its blocks are of: the partition
 * number of the static kind, or "none"; and the node that the kernel says a block is on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 200

typedef void *kind_pointer;

/* The library as the runtime has loaded it already: nothing is loaded here. */
static int partition_of(void *block)
{
    void *library = dlopen("libmemkind.so", RTLD_NOW | RTLD_NOLOAD);
    kind_pointer (*detect)(void *), kind, each;
    int (*by_partition)(int, kind_pointer *);

    if (!library)
        return -2;
    *(void **)&detect = dlsym(library, "memkind_detect_kind");
    *(void **)&by_partition = dlsym(library, "memkind_get_kind_by_partition");
    /* The runtime puts a header of its own in front; only the block's start is known as one. */
    kind = detect(block);
    for (size_t back = 8; !kind && back <= 256; back += 8)
        kind = detect((char *)block - back);
    if (!kind)
        return -1;
    for (int i = 0; by_partition(i, &each) == 0; i++)
        if (each == kind)
            return i;
    return -1;
}

static int try_allocator(const char *name, omp_allocator_handle_t allocator)
{
    int bad = 0, partition = -1, node = -1;

#pragma omp parallel num_threads(4) reduction(+ : bad)
    for (int round = 1; round <= ROUNDS; round++) {
        size_t size = (size_t)round * 997;
        unsigned char *block = omp_alloc(size, allocator);

        if (!block) {
            bad++;
            continue;
        }
        memset(block, round, size);
        bad += block[0] != (unsigned char)round || block[size - 1] != (unsigned char)round;
        if (round == ROUNDS && omp_get_thread_num() == 0) {
            void *page = block + size / 2;

            partition = partition_of(block);
            /* A page that the kernel is moving has no node for a moment. */
            for (int turn = 0; turn < 1000 && (node == -1 || node == -ENOENT); turn++)
                syscall(SYS_move_pages, 0, 1ul, &page, NULL, &node, 0);
        }
        omp_free(block, allocator);
    }
    if (partition < 0)
        printf("%s: none, %d bad\n", name, bad);
    else
        printf("%s: %d, %d bad\n", name, partition, bad);
    printf("%s: node %d\n", name, node);
    return bad;
}

int main(void)
{
    int bad = 0;

    bad += try_allocator("omp_default_mem_alloc", omp_default_mem_alloc);
    bad += try_allocator("omp_high_bw_mem_alloc", omp_high_bw_mem_alloc);
    bad += try_allocator("omp_large_cap_mem_alloc", omp_large_cap_mem_alloc);
    return bad != 0;
}
