/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hello_hbw: hbwmalloc.h, the short way to high-bandwidth memory.
 *
 * The functions are those of stdlib.h with hbw_ in front. Without such memory they use the ordinary
 * one, unless the policy of the process says otherwise (hbw_set_policy()).
 */
#include <hbwmalloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((size_t)1 << 20)

int main(void)
{
    int missing = hbw_check_available();
    char *block;

    if (missing)
        printf("no high-bandwidth memory here (%s): ordinary memory\n", strerror(missing));
    else
        printf("high-bandwidth memory is here\n");

    block = hbw_malloc(SIZE);
    if (!block) {
        perror("hbw_malloc");
        return EXIT_FAILURE;
    }
    strcpy(block, "hello");
    printf("%s from a block of %zu KiB\n", block, SIZE >> 10);

    /* The kernel is asked where each page is; pages that nobody has written yet are, first. */
    printf("all of it in high-bandwidth memory: %s\n",
           hbw_verify_memory_region(block, SIZE, HBW_TOUCH_PAGES) ? "no" : "yes");
    hbw_free(block);
    return EXIT_SUCCESS;
}
