/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fallback: the first of several kinds that this machine has.
 *
 * A kind that is not available is a valid handle, from which allocations fail. So a program asks
 * once, when it starts, and goes on with the kind it got.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>

#define COUNT ((size_t)100000)

static const struct choice {
    const char *name;
    memkind_t *kind;
} choices[] = {
    {"MEMKIND_HBW", &MEMKIND_HBW},
    {"MEMKIND_HIGHEST_BANDWIDTH_LOCAL", &MEMKIND_HIGHEST_BANDWIDTH_LOCAL},
    {"MEMKIND_DEFAULT", &MEMKIND_DEFAULT}, /* always there */
};

static const struct choice *choose(void)
{
    const struct choice *choice = choices;
    char text[MEMKIND_ERROR_MESSAGE_SIZE];
    int error;

    while ((error = memkind_check_available(*choice->kind))) {
        memkind_error_message(error, text, sizeof text);
        printf("not here: %s: %s\n", choice->name, text);
        choice++;
    }
    return choice;
}

int main(void)
{
    const struct choice *choice = choose();
    double *vector, sum = 0;

    vector = memkind_calloc(*choice->kind, COUNT, sizeof *vector);
    if (!vector) {
        perror("memkind_calloc");
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < COUNT; i++)
        vector[i] += (double)i;
    for (size_t i = 0; i < COUNT; i++)
        sum += vector[i];
    printf("taken: %s\n", choice->name);
    printf("sum of %zu numbers: %.0f\n", COUNT, sum);
    memkind_free(*choice->kind, vector);
    return EXIT_SUCCESS;
}
