/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The program of README.md. */
#include <memkind.h>

int main(void)
{
    memkind_t kind = memkind_check_available(MEMKIND_HBW) ? MEMKIND_DEFAULT : MEMKIND_HBW;
    double *vector = memkind_calloc(kind, 1000000, sizeof *vector);

    memkind_free(kind, vector);
    return !vector;
}
