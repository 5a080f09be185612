/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see written.h. */
#include "written.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/fs.h and linux/userfaultfd.h from Linux 6.7 on; the headers may be older. */
#define WP_ASYNC ((uint64_t)1 << 15)
#define USER_MODE_ONLY 1
#define IS_WRITTEN ((uint64_t)1 << 1)
#define IS_ZERO ((uint64_t)1 << 5)
#define SCAN_PROTECTS ((uint64_t)1 << 0)
#define SCAN_CHECKS ((uint64_t)1 << 1)

struct found {
    uint64_t start, end, categories;
};

struct scan {
    uint64_t size, flags, start, end, walk_end, found, found_room, most;
    uint64_t inverted, wanted, any, returned;
};
#define SCAN _IOWR('f', 16, struct scan)

/* Of /proc/PID/pagemap. */
#define SOFT_DIRTY ((uint64_t)1 << 55)
#define SWAPPED ((uint64_t)1 << 62)
#define PRESENT ((uint64_t)1 << 63)

#define AT_ONCE 512

/* The userfaultfd; the program may close it, and what it protects is free then. */
static int faults = -1;
static size_t page;

static int open_pagemap(void)
{
    return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

/* --- PAGEMAP_SCAN ----------------------------------------------------------------------------- */

/* An area may have been protected before: that is no error, and it is one area then. */
static bool protect(uintptr_t start, size_t size)
{
    struct uffdio_register area = {.range = {start, size}, .mode = UFFDIO_REGISTER_MODE_WP};

    return ioctl(faults, UFFDIO_REGISTER, &area) == 0;
}

static size_t scan_pages(int pagemap, uintptr_t start, size_t size)
{
    struct found found[AT_ONCE];
    struct scan scan = {.size = sizeof scan,
                        .flags = SCAN_PROTECTS | SCAN_CHECKS,
                        .start = start,
                        .end = start + size,
                        .found = (uintptr_t)found,
                        .found_room = AT_ONCE,
                        .inverted = IS_ZERO, /* pages that were only read */
                        .wanted = IS_WRITTEN | IS_ZERO,
                        .returned = IS_WRITTEN};
    size_t pages = 0;

    while (scan.start < scan.end) {
        int count = ioctl(pagemap, SCAN, &scan);

        if (count < 0)
            return SIZE_MAX;
        for (int i = 0; i < count; i++)
            pages += (found[i].end - found[i].start) / page;
        scan.start = scan.walk_end;
    }
    return pages;
}

/* Well above the numbers that programs count on. */
static bool open_faults(void)
{
    struct uffdio_api wanted = {.api = UFFD_API, .features = WP_ASYNC};
    int opened = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

    if (opened < 0)
        return false;
    for (int least = 200; faults < 0 && least > STDERR_FILENO; least /= 2)
        faults = fcntl(opened, F_DUPFD_CLOEXEC, least);
    close(opened);
    if (faults >= 0 && ioctl(faults, UFFDIO_API, &wanted) == 0)
        return true;
    if (faults >= 0)
        close(faults);
    faults = -1;
    return false;
}

/* --- soft-dirty bits -------------------------------------------------------------------------- */

static bool clear_bits(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool cleared = file >= 0 && write(file, "4", 1) == 1;

    if (file >= 0)
        close(file);
    return cleared;
}

/* What is mapped and was never touched is dirty, too, and not there. */
static size_t read_bits(int pagemap, uintptr_t start, size_t size)
{
    uint64_t entries[AT_ONCE];
    size_t pages = 0, left = size / page, first = start / page;

    while (left) {
        size_t count = left < AT_ONCE ? left : AT_ONCE;

        if (pread(pagemap, entries, count * sizeof *entries, (off_t)(first * sizeof *entries)) !=
            (ssize_t)(count * sizeof *entries))
            return SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            pages += entries[i] & SOFT_DIRTY && entries[i] & (PRESENT | SWAPPED);
        first += count;
        left -= count;
    }
    return pages;
}

/* --- both ------------------------------------------------------------------------------------- */

size_t written_pages(enum written_method method, uintptr_t start, size_t size)
{
    uintptr_t first = (start + page - 1) & -page, end = (start + size) & -page;
    int pagemap = open_pagemap();
    size_t pages = SIZE_MAX;

    if (pagemap < 0)
        return SIZE_MAX;
    if (end <= first)
        pages = 0;
    else if (method == WRITTEN_SOFT_DIRTY)
        pages = read_bits(pagemap, first, end - first);
    else if (protect(first, end - first))
        pages = scan_pages(pagemap, first, end - first);
    close(pagemap);
    return pages;
}

bool written_round_ends(enum written_method method)
{
    return method == WRITTEN_SCAN || clear_bits();
}

/* Whether the method tells a page that was written from one that was not: kernels that lack it may
 * still accept every call. */
static bool works(enum written_method method, char *pages)
{
    size_t before, between, after;

    pages[0] = pages[page] = 1;
    before = written_pages(method, (uintptr_t)pages, 2 * page);
    if (before == SIZE_MAX || !written_round_ends(method))
        return false;
    between = written_pages(method, (uintptr_t)pages, 2 * page);
    *(volatile char *)pages = 2;
    after = written_pages(method, (uintptr_t)pages, 2 * page);
    return before == 2 && between == 0 && after == 1;
}

enum written_method written_begin(void)
{
    enum written_method method = WRITTEN_NONE;
    char *pages;

    page = (size_t)sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return method;
    if (open_faults() && works(WRITTEN_SCAN, pages))
        method = WRITTEN_SCAN;
    else if (works(WRITTEN_SOFT_DIRTY, pages))
        method = WRITTEN_SOFT_DIRTY;
    munmap(pages, 2 * page);
    return method;
}
