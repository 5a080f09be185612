/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_residency: pages that the kernel moves to other memory while it is asked where they are.
 */
#include "support.h"

#include <errno.h>
#include <sys/mman.h>

#include "kinds/machine/residency.h"
#include "kinds/system/os.h"

#define PAGES 600 /* more than are asked for at once */

TestSuite(residency, .init = test_bare);

int __real_os_page_nodes(size_t count, void **pages, int *status);
int __wrap_os_page_nodes(size_t count, void **pages, int *status);

static void *moving; /* a page that has no node */
static int answers;  /* for so many questions */

int __wrap_os_page_nodes(size_t count, void **pages, int *status)
{
    int error = __real_os_page_nodes(count, pages, status);

    for (size_t i = 0; i < count; i++)
        if (pages[i] == moving && answers) {
            status[i] = -ENOENT;
            answers--;
        }
    return error;
}

static enum residency check_pages(char *area, size_t size)
{
    struct nodemask all = {{0}};

    for (unsigned node = 0; node < NODEMASK_NODES; node++)
        nodemask_add(&all, node);
    return residency_check(area, size, &all, false);
}

/* Base pages: a huge one would be there as a whole when a byte of it is written. */
static char *pages(size_t size)
{
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(area, MAP_FAILED);
    madvise(area, size, MADV_NOHUGEPAGE); /* fails where the kernel has no such pages */
    return area;
}

Test(residency, waits_for_a_page_that_is_moved)
{
    size_t page = os_page_size();
    char *area = pages(PAGES * page);

    memset(area, 1, PAGES * page);
    for (size_t i = 0; i < PAGES; i += 299) {
        moving = area + i * page;
        answers = 20;
        cr_assert_eq(check_pages(area, PAGES * page), RESIDENCY_ALL, "page %zu", i);
        cr_assert_eq(answers, 0);
    }
}

/* One that is never there ends the waiting, too. */
Test(residency, does_not_wait_for_ever)
{
    size_t page = os_page_size();
    char *area = pages(PAGES * page);

    memset(area, 1, PAGES * page);
    moving = area + 5 * page;
    answers = -1;
    cr_assert_eq(check_pages(area, PAGES * page), RESIDENCY_ELSEWHERE);
}

/* A page that was never written is no page on its way: one question is enough. */
Test(residency, does_not_wait_for_what_was_never_written)
{
    size_t page = os_page_size();
    char *area = pages(PAGES * page);

    area[0] = 1;
    moving = area + page;
    answers = 2;
    cr_assert_eq(check_pages(area, PAGES * page), RESIDENCY_ELSEWHERE);
    cr_assert_eq(answers, 1);
}
