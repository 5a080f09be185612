/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* fuzz_nodes: lists of nodes, the kernel's and a user's. */
#include "fuzz.h"

#include "kinds/system/nodemask.h"

/* What is written of a set, in whatever room, reads as that set. */
static void check_format(const struct nodemask *mask)
{
    char text[8192], small[16];
    struct nodemask again;

    nodemask_format(mask, text, sizeof text);
    nodemask_format(mask, small, sizeof small);
    MUST(memchr(small, '\0', sizeof small));
    MUST(nodemask_empty(mask) ? strcmp(text, "-") == 0
                              : nodemask_parse(text, &again) && nodemask_equal(mask, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct nodemask existing = {{0x8000000000000fbf, 1}}, allowed = {{0xb3}};
    char *text = text_of(data, size);
    struct nodemask mask;

    if (nodemask_parse(text, &mask))
        check_format(&mask);
    if (nodemask_parse_user(text, &existing, &allowed, &mask)) {
        MUST(!nodemask_empty(&mask) && nodemask_subset(&mask, &existing));
        check_format(&mask);
    }
    free(text);
    return 0;
}
