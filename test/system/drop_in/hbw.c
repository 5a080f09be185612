/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hbw: every function of hbwmalloc.h of libmemkind 1.14.0. Run where node 0 is high-bandwidth
 * memory, and, with the argument "none", where there is none.
 */
#include <hbwmalloc.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void say(const char *what, long value)
{
    printf("%s: %ld\n", what, value);
}

int main(int argc, char *argv[])
{
    int none = argc == 2 && strcmp(argv[1], "none") == 0;
    void *aligned = NULL;
    char *block;

    say("check_available", none ? hbw_check_available() == ENODEV : hbw_check_available() == 0);
    say("get_policy", hbw_get_policy() == HBW_POLICY_PREFERRED);
    say("set_policy of nonsense", hbw_set_policy((hbw_policy_t)9) == EINVAL);
    if (!none) {
        say("set_policy", hbw_set_policy(HBW_POLICY_BIND));
        say("get_policy", hbw_get_policy() == HBW_POLICY_BIND);
    }
    block = hbw_malloc(1000);
    say("malloc", block != NULL);
    strcpy(block, "text");
    say("usable_size is enough", hbw_malloc_usable_size(block) >= 1000);
    if (!none)
        say("verify_memory_region",
            hbw_verify_memory_region(block, hbw_malloc_usable_size(block), HBW_TOUCH_PAGES));
    say("verify_memory_region of nothing", hbw_verify_memory_region(NULL, 1, 0) == EINVAL);
    block = hbw_realloc(block, 100000);
    say("realloc keeps", strcmp(block, "text") == 0);
    hbw_free(block);
    block = hbw_calloc(10, 1000);
    say("calloc is zero", block && block[0] == 0 && memcmp(block, block + 1, 9999) == 0);
    hbw_free(block);
    say("posix_memalign", hbw_posix_memalign(&aligned, 256, 5000));
    say("aligned", (uintptr_t)aligned % 256 == 0);
    hbw_free(aligned);
    say("posix_memalign_psize", hbw_posix_memalign_psize(&aligned, 64, 5000, HBW_PAGESIZE_4KB));
    hbw_free(aligned);
    say("set_policy after use", hbw_set_policy(HBW_POLICY_INTERLEAVE) == EPERM);
    return 0;
}
