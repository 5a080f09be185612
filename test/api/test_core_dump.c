/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_core_dump: kinds that are to be left out of core dumps are, all of their pages, and no other
 * kind's: as /proc/self/smaps tells ("dd").
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"

TestSuite(core_dump, .init = test_bare, .timeout = 60);

/* Whether the mapping of an address is left out. */
static bool is_left_out(const void *address)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    bool inside = false, found = false, left_out = false;
    char line[4096];

    cr_assert_not_null(file);
    while (!found && fgets(line, sizeof line, file)) {
        uintptr_t start, end;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (uintptr_t)address >= start && (uintptr_t)address < end;
        found = inside && strncmp(line, "VmFlags:", 8) == 0;
        left_out = found && strstr(line, " dd");
    }
    fclose(file);
    cr_assert(found, "%p is not mapped", address);
    return left_out;
}

static void expect(memkind_t kind, bool left_out)
{
    static const size_t sizes[] = {1, 1000, 20000, 3 * MIB, 70 * MIB};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char *block = memkind_malloc(kind, sizes[i]);

        cr_assert_not_null(block);
        cr_expect_eq(is_left_out(block), left_out, "a block of %zu", sizes[i]);
        cr_expect_eq(is_left_out(block + sizes[i] - 1), left_out, "a block of %zu", sizes[i]);
    }
}

static memkind_t create(unsigned flags)
{
    memkind_t kind;

    int error = memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)flags, &kind);

    if (error == MEMKIND_ERROR_MBIND)
        test_skip("the kernel refuses mbind");
    cr_assert_eq(error, MEMKIND_SUCCESS);
    return kind;
}

Test(core_dump, of_nodes)
{
    expect(create(MEMKIND_MASK_NO_CORE_DUMP), true);
    expect(create(0), false);
    expect(MEMKIND_DEFAULT, false);
}

Test(core_dump, of_a_file)
{
    struct memkind_config *config = memkind_config_new();

    if (access(DIRECTORY, W_OK) != 0)
        test_skip(DIRECTORY ": %s", strerror(errno));
    cr_assert_not_null(config);
    memkind_config_set_path(config, DIRECTORY);
    for (int turn = 0; turn < 2; turn++) {
        memkind_t kind;

        memkind_config_set_core_dump(config, turn == 0);
        cr_assert_eq(memkind_create_pmem_with_config(config, &kind), MEMKIND_SUCCESS);
        expect(kind, turn == 1);
    }
    memkind_config_set_core_dump(NULL, true);
    memkind_config_delete(config);
}

/* Bits that mean nothing are refused as before. */
Test(core_dump, and_no_other_flag)
{
    memkind_t kind;

    for (unsigned bit = MEMKIND_MASK_NO_CORE_DUMP << 1; bit; bit <<= 1)
        cr_assert_eq(
            memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)bit, &kind),
            MEMKIND_ERROR_INVALID);
    /* Static kinds are shared: they are as they are. */
    cr_assert_eq(memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                     MEMKIND_MASK_NO_CORE_DUMP, &kind),
                 MEMKIND_ERROR_INVALID);
}
