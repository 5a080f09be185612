/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * detect_kind: which kind a block is of, and how to free and resize it without knowing.
 *
 * Code that gets a block from elsewhere passes NULL as its kind. The library finds it from the
 * address, in constant time and without a lock.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>

static const struct known {
    const char *name;
    memkind_t *kind;
} all[] = {
    {"MEMKIND_DEFAULT", &MEMKIND_DEFAULT},
    {"MEMKIND_REGULAR", &MEMKIND_REGULAR},
    {"MEMKIND_INTERLEAVE", &MEMKIND_INTERLEAVE},
    {"MEMKIND_HBW", &MEMKIND_HBW},
};

#define KINDS (sizeof all / sizeof all[0])

static const char *name_of(void *block)
{
    memkind_t kind = memkind_detect_kind(block);

    for (size_t i = 0; i < KINDS; i++)
        if (kind == *all[i].kind)
            return all[i].name;
    return kind ? "another kind" : "no kind";
}

int main(void)
{
    void *block, *larger, *foreign = malloc(100);
    int error;

    for (size_t i = 0; i < KINDS; i++) {
        char text[MEMKIND_ERROR_MESSAGE_SIZE];

        error = memkind_check_available(*all[i].kind);
        if (error) {
            memkind_error_message(error, text, sizeof text);
            printf("not here: %s: %s\n", all[i].name, text);
            continue;
        }
        block = memkind_malloc(*all[i].kind, 100);
        larger = memkind_realloc(NULL, block, 10000); /* in the kind of the block */
        if (!larger) {
            perror("memkind_realloc");
            return EXIT_FAILURE;
        }
        printf("a block of %s, %zu bytes or more: %s\n", name_of(larger), (size_t)10000,
               memkind_malloc_usable_size(NULL, larger) >= 10000 ? "yes" : "no");
        memkind_free(NULL, larger);
    }
    printf("a block of malloc(): %s\n", name_of(foreign));
    free(foreign);
    return EXIT_SUCCESS;
}
