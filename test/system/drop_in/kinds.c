/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * kinds: every kind of memkind.h of libmemkind 1.14.0 as a variable: its value as this program was
 * linked, as dlsym(3) finds it, and as its number says are the same; blocks are of the kind they
 * were asked of. Run where node 0 is high-bandwidth and DAX memory. Prints kinds that differ or are
 * not available for another reason than huge pages or attributes, and how many there are.
 */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <memkind.h>

#include <dlfcn.h>
#include <stdio.h>

#define KIND(name)                                       \
    {                                                    \
#name, &MEMKIND_##name, MEMKIND_PARTITION_##name \
    }

static const struct {
    const char *name;
    memkind_t *kind;
    int partition;
} kinds[] = {
    KIND(DEFAULT),
    KIND(HBW),
    KIND(HBW_HUGETLB),
    KIND(HBW_PREFERRED),
    KIND(HBW_PREFERRED_HUGETLB),
    KIND(HUGETLB),
    KIND(HBW_GBTLB),
    KIND(HBW_PREFERRED_GBTLB),
    KIND(GBTLB),
    KIND(HBW_INTERLEAVE),
    KIND(INTERLEAVE),
    KIND(REGULAR),
    KIND(HBW_ALL),
    KIND(HBW_ALL_HUGETLB),
    KIND(DAX_KMEM),
    KIND(DAX_KMEM_ALL),
    KIND(DAX_KMEM_PREFERRED),
    KIND(DAX_KMEM_INTERLEAVE),
    KIND(HIGHEST_CAPACITY),
    KIND(HIGHEST_CAPACITY_PREFERRED),
    KIND(HIGHEST_CAPACITY_LOCAL),
    KIND(HIGHEST_CAPACITY_LOCAL_PREFERRED),
    KIND(LOWEST_LATENCY_LOCAL),
    KIND(LOWEST_LATENCY_LOCAL_PREFERRED),
    KIND(HIGHEST_BANDWIDTH_LOCAL),
    KIND(HIGHEST_BANDWIDTH_LOCAL_PREFERRED),
};

int main(void)
{
    size_t good = 0, number = sizeof kinds / sizeof kinds[0];

    for (size_t i = 0; i < number; i++) {
        char symbol[64];
        memkind_t *found, by_number = NULL;
        int error;
        void *block;

        snprintf(symbol, sizeof symbol, "MEMKIND_%s", kinds[i].name);
        found = dlsym(RTLD_DEFAULT, symbol);
        if (!found || *found != *kinds[i].kind ||
            memkind_get_kind_by_partition(kinds[i].partition, &by_number) || by_number != *found) {
            printf("%s: not one value\n", symbol);
            continue;
        }
        good++;
        error = memkind_check_available(*found);
        if (error == MEMKIND_ERROR_HUGETLB || error == MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE)
            continue;
        if (error)
            printf("%s: error %d\n", symbol, error);
        block = memkind_malloc(*found, 1000);
        /* Without a reserved huge page there is no block. */
        if (block && memkind_detect_kind(block) != *found)
            printf("%s: its block is of another kind\n", symbol);
        memkind_free(*found, block);
    }
    printf("%zu kinds\n", good);
    return 0;
}
