/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * custom_kind: a kind whose pages the program itself provides, here from a memfd.
 *
 * The file grows with each region that the library asks for. It could as well be shared memory, the
 * memory of a device, or a mapping with flags that no kind of the library has. The library calls
 * the three functions from any thread, from several at once, so what they count is atomic.
 */
#define _GNU_SOURCE /* memfd_create, fallocate */
#include <memkind.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"

#define BLOCKS 64
#define BLOCK_SIZE ((size_t)100 << 10)

/* The context of the kind. */
struct file {
    int descriptor;
    atomic_size_t end; /* of the file: where the next region begins */
    atomic_size_t maps, unmaps;
};

/* Reserves more addresses than needed, so that an aligned start is among them, and maps the file
 * there. */
static void *map(void *context, size_t size, size_t alignment)
{
    struct file *file = context;
    size_t offset = atomic_fetch_add(&file->end, size);
    char *reserved, *region;
    size_t before;

    if (fallocate(file->descriptor, 0, (off_t)offset, (off_t)size))
        return NULL;
    reserved = mmap(NULL, size + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED)
        return NULL;
    before = -(uintptr_t)reserved & (alignment - 1);
    region = mmap(reserved + before, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                  file->descriptor, (off_t)offset);
    if (before)
        munmap(reserved, before);
    munmap(reserved + before + size, alignment - before);
    if (region == MAP_FAILED)
        return NULL;
    atomic_fetch_add(&file->maps, 1);
    return region;
}

/* MADV_REMOVE gives back the part of the file behind these pages. */
static void unmap(void *context, void *address, size_t size)
{
    struct file *file = context;

    madvise(address, size, MADV_REMOVE);
    munmap(address, size);
    atomic_fetch_add(&file->unmaps, 1);
}

/* The pages stay mapped, and read as zeroes. */
static int purge(void *context, void *address, size_t size)
{
    (void)context;
    return madvise(address, size, MADV_REMOVE);
}

static void print(const struct file *file, const char *when)
{
    struct stat status = {0};

    fstat(file->descriptor, &status);
    printf("%s: map %zu, unmap %zu, in the file %lld KiB\n", when, file->maps, file->unmaps,
           (long long)status.st_blocks / 2);
}

int main(void)
{
    static const struct memkind_page_ops ops = {map, unmap, purge};
    struct file file = {.descriptor = memfd_create("custom_kind", MFD_CLOEXEC)};
    void *blocks[BLOCKS];
    memkind_t kind;
    int error;

    if (file.descriptor < 0) {
        perror("memfd_create");
        return EXIT_FAILURE;
    }
    error = memkind_create_custom(&ops, &file, &kind);
    if (error)
        return explain("memkind_create_custom", error);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memkind_malloc(kind, BLOCK_SIZE);
        if (!blocks[i]) {
            perror("memkind_malloc");
            return EXIT_FAILURE;
        }
        memset(blocks[i], i, BLOCK_SIZE);
    }
    printf("%d blocks of %zu KiB\n", BLOCKS, BLOCK_SIZE >> 10);
    print(&file, "allocated");
    for (int i = 0; i < BLOCKS; i++)
        memkind_free(kind, blocks[i]);
    error = memkind_destroy_kind(kind);
    if (error)
        return explain("memkind_destroy_kind", error);
    print(&file, "destroyed");
    close(file.descriptor);
    return EXIT_SUCCESS;
}
