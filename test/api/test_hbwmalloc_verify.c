/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hbwmalloc, continued: whether memory is on high-bandwidth nodes (hbw_verify_memory_region).
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- verify_memory_region --------------------------------------------------------------------- */

static char *map(size_t size, int protection)
{
    char *address = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(address, MAP_FAILED);
    return address;
}

Test(hbwmalloc, verify_checks_arguments)
{
    static const int flags[] = {2, 4, -1, 3, 1 << 30};
    char *block = hbw_malloc(10000);

    memset(block, 1, 10000);
    cr_assert_eq(hbw_verify_memory_region(NULL, 100, 0), EINVAL);
    cr_assert_eq(hbw_verify_memory_region(NULL, 100, HBW_TOUCH_PAGES), EINVAL);
    cr_assert_eq(hbw_verify_memory_region(block, 0, 0), EINVAL);
    for (size_t i = 0; i < LENGTH(flags); i++)
        cr_assert_eq(hbw_verify_memory_region(block, 100, flags[i]), EINVAL, "flags %d", flags[i]);
    /* Not a range: nowhere near memory. */
    cr_assert_neq(hbw_verify_memory_region(block, SIZE_MAX, 0), 0);
    cr_assert_neq(hbw_verify_memory_region(block, SIZE_MAX / 2, 0), 0);
    cr_assert_neq(hbw_verify_memory_region((void *)UINTPTR_MAX, 1, 0), 0);
    cr_assert_neq(hbw_verify_memory_region((void *)UINTPTR_MAX, 100, 0), 0);
    cr_assert_eq(hbw_verify_memory_region((void *)1, 1, 0), EFAULT);
    cr_assert_eq(hbw_verify_memory_region((void *)0x800000000000, 4096, 0), EFAULT);
}

/* Blocks of HBW kinds, and other memory on the same nodes, written or not. */
Test(hbwmalloc, verify_written_pages)
{
    static const size_t sizes[] = {1, 100, 5000, 100000, 3 * MIB};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char *block = hbw_malloc(sizes[i]);

        memset(block, 1, sizes[i]);
        cr_assert_eq(hbw_verify_memory_region(block, sizes[i], 0), 0, "%zu bytes", sizes[i]);
        cr_assert_eq(hbw_verify_memory_region(block + sizes[i] / 2, 1, 0), 0);
        cr_assert_eq(hbw_verify_memory_region(block, sizes[i], HBW_TOUCH_PAGES), 0);
        hbw_free(block);
    }
}

Test(hbwmalloc, verify_pages_never_written)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 600 * page;
    char *area = map(size, PROT_READ | PROT_WRITE);

    cr_assert_eq(hbw_verify_memory_region(area, size, 0), -1);
    area[0] = 1;
    cr_assert_eq(hbw_verify_memory_region(area, 1, 0), 0);
    cr_assert_eq(hbw_verify_memory_region(area + 1, page - 1, 0), 0);
    cr_assert_eq(hbw_verify_memory_region(area + 1, page, 0), -1, "one byte of the next page");
    cr_assert_eq(hbw_verify_memory_region(area, size, 0), -1);
    memset(area, 7, size - page);
    cr_assert_eq(hbw_verify_memory_region(area, size - page, 0), 0);
    cr_assert_eq(hbw_verify_memory_region(area, size, 0), -1, "the last page is missing");
    /* Touching keeps what is there, and provides what is not. */
    cr_assert_eq(hbw_verify_memory_region(area, size, HBW_TOUCH_PAGES), 0);
    cr_assert_eq(hbw_verify_memory_region(area, size, 0), 0);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(area[i], i == 0 || i < size - page ? 7 : 0);
}

/* A page that was only read is the kernel's page of zeroes, wherever that is. */
Test(hbwmalloc, verify_zero_page)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    volatile char *area = map(4 * page, PROT_READ | PROT_WRITE);

    for (int i = 0; i < 4; i++)
        cr_assert_eq(area[i * (ptrdiff_t)page], 0);
    cr_assert_eq(hbw_verify_memory_region((void *)area, 4 * page, 0), -1);
    cr_assert_eq(hbw_verify_memory_region((void *)area, 4 * page, HBW_TOUCH_PAGES), 0);
    cr_assert_eq(hbw_verify_memory_region((void *)area, 4 * page, 0), 0);
}

Test(hbwmalloc, verify_unmapped_memory)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 1000 * page;
    static const int flags[] = {0, HBW_TOUCH_PAGES};
    char *area = map(size, PROT_READ | PROT_WRITE);

    memset(area, 1, size);
    hbw_free(hbw_malloc(1));
    /* A large hole, since whatever is mapped meanwhile comes to its end. */
    munmap(area + 500 * page, 400 * page);
    for (size_t i = 0; i < LENGTH(flags); i++) {
        cr_assert_eq(hbw_verify_memory_region(area + 500 * page, page, flags[i]), EFAULT);
        cr_assert_eq(hbw_verify_memory_region(area, size, flags[i]), EFAULT, "a hole");
        cr_assert_eq(hbw_verify_memory_region(area + 499 * page, page + 1, flags[i]), EFAULT);
        cr_assert_eq(hbw_verify_memory_region(area, 500 * page, flags[i]), 0);
    }
}

Test(hbwmalloc, verify_protected_memory)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 10 * page;
    char *written = map(size, PROT_READ | PROT_WRITE), *none = map(size, PROT_NONE);
    int node;

    memset(written, 1, size);
    mprotect(written, size, PROT_READ);
    cr_assert_eq(hbw_verify_memory_region(written, size, 0), 0, "to read is enough");
    cr_assert_eq(hbw_verify_memory_region(written, size, HBW_TOUCH_PAGES), EFAULT, "read-only");
    cr_assert_eq(hbw_verify_memory_region(none, size, HBW_TOUCH_PAGES), EFAULT);
    cr_assert_eq(hbw_verify_memory_region(none, size, 0), -1, "never written");
    mprotect(written, size, PROT_NONE);
    /* Some kernels (6.1) do not tell of a page that nobody may touch where it is. */
    cr_assert_eq(syscall(SYS_move_pages, 0, 1ul, &written, NULL, &node, 0), 0);
    cr_assert_eq(hbw_verify_memory_region(written, size, 0), node < 0 ? -1 : 0,
                 "where it is, it is");
}

struct verified {
    int result[4];
};

static void verify_some(void *argument)
{
    struct verified *verified = argument;
    char *block = memkind_malloc(MEMKIND_DEFAULT, 100000);

    memset(block, 1, 100000);
    verified->result[0] = hbw_verify_memory_region(block, 100000, 0);
    verified->result[1] = hbw_verify_memory_region(block, 100000, HBW_TOUCH_PAGES);
}

/* Without HBW nodes, no page is on one. */
Test(hbwmalloc, verify_without_nodes)
{
    struct verified *verified = test_shared(sizeof *verified);
    static const char *const no_nodes[] = {"MEMKIND_HBW_NODES", NULL};
    static struct test_child child;

    if (test_has_figures())
        test_skip("this machine may have HBW nodes");
    test_run_well(&child, verify_some, verified, no_nodes);
    cr_assert_eq(verified->result[0], -1, "%d", verified->result[0]);
    cr_assert_eq(verified->result[1], -1, "%d", verified->result[1]);
}

static void verify_on_poor_kernels(void *argument)
{
    struct verified *verified = argument;
    char *area = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    test_refuse(SYS_madvise, EINVAL, 2, 23); /* MADV_POPULATE_WRITE */
    verified->result[0] = hbw_verify_memory_region(area, 100000, HBW_TOUCH_PAGES);
    verified->result[1] = hbw_verify_memory_region(area, 100000, 0);
    test_refuse(SYS_move_pages, EPERM, 0, 0);
    verified->result[2] = hbw_verify_memory_region(area, 100000, 0);
    mprotect(area, 100000, PROT_READ);
    verified->result[3] = hbw_verify_memory_region(area, 100000, HBW_TOUCH_PAGES);
}

/* Without MADV_POPULATE_WRITE pages are written one by one; without move_pages nobody can tell. */
Test(hbwmalloc, verify_on_poor_kernels)
{
    struct verified *verified = test_shared(sizeof *verified);
    static struct test_child child;

    test_run_well(&child, verify_on_poor_kernels, verified, NULL);
    cr_assert_eq(verified->result[0], 0, "%d", verified->result[0]);
    cr_assert_eq(verified->result[1], 0, "%d", verified->result[1]);
    cr_assert_eq(verified->result[2], EFAULT, "%d", verified->result[2]);
    cr_assert_eq(verified->result[3], EFAULT, "%d", verified->result[3]);
}
