/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_pmem_fs: PMEM kinds on file systems of several sorts, and on full ones. Space is taken as a
 * heap grows, reserved before it is handed out, given back, and gone when the kind is destroyed.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(pmem_fs, .init = mounts_begin, .fini = mounts_end, .timeout = 280);

/* --- each file system ------------------------------------------------------------------------- */

static void use_system(const struct file_system *system)
{
    size_t empty, full;
    memkind_t kind;

    mounts_mount(system, 0);
    kind = mounts_create(0);
    memkind_free(kind, memkind_malloc(kind, 100));
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    empty = mounts_used();

    kind = mounts_create(0);
    cr_assert_eq(mounts_take(kind, 1, 100000, 100 * MIB, false) >= 100 * MIB, true);
    cr_assert_eq(memkind_detect_kind(mounts_blocks[5].at), kind);
    full = mounts_used();
    if (system->ends)
        cr_assert_geq(full, empty + 100 * MIB, "%zu bytes in use for blocks of 100 MiB",
                      full - empty);
    mounts_free(kind);
    test_decay(kind);
    if (system->ends && system->punches && !test_tbb())
        cr_assert(mounts_used_falls_to(empty + (full - empty) / 4),
                  "%zu bytes when empty, %zu when full, "
                  "%zu when all is free",
                  empty, full, mounts_used());
    mounts_take(kind, 1000, 5000000, 100 * MIB, false); /* again, into what was given back */
    mounts_free(kind);
    mounts_take(kind, 1, 100000, 20 * MIB, false); /* destroyed with these */
    mounts_verify();
    mounts_count = 0;
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    if (system->ends)
        cr_assert(mounts_used_falls_to(empty + MIB), "%zu bytes before, %zu after the kind's end",
                  empty, mounts_used());
    mounts_unmount();
}

Test(pmem_fs, tmpfs)
{
    use_system(&mounts_tmpfs);
}

Test(pmem_fs, ext4)
{
    use_system(&mounts_ext4);
}

Test(pmem_fs, xfs)
{
    use_system(&mounts_xfs);
}

/* No fallocate(2): space is reserved by writing. */
Test(pmem_fs, ext2)
{
    use_system(&mounts_ext2);
}

/* No fallocate(2), no holes. */
Test(pmem_fs, ramfs)
{
    use_system(&mounts_ramfs);
}

static void use_without_holes(void *argument)
{
    memkind_t kind = mounts_create_conservative(0);

    (void)argument;
    mounts_take(kind, 20000, 100000, 20 * MIB, false);
    mounts_free(kind);
    test_decay(kind);
    mounts_take(kind, 20000, 100000, 20 * MIB, false);
    mounts_free(kind);
    if (memkind_destroy_kind(kind))
        _exit(9);
}

/* It is said once or more, and it is not the end. */
Test(pmem_fs, no_holes_is_logged)
{
    static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};
    static struct test_child child;

    mounts_mount(&mounts_ramfs, 0);
    test_run_well(&child, use_without_holes, NULL, debug);
    cr_assert(test_line(child.errors, "hole|punch|fallocate|give.* back"), "the log says:\n%s",
              child.errors);
}

/* --- full ------------------------------------------------------------------------------------- */

static int filler = -1;

/* Another file takes all that is left. */
static void fill_up(void)
{
    static char zeroes[65536];
    char path[96];

    snprintf(path, sizeof path, "%s/filler", mounts_directory);
    filler = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(filler >= 0);
    memset(zeroes, 1, sizeof zeroes);
    for (size_t size = sizeof zeroes; size >= 512; size /= 2)
        while (write(filler, zeroes, size) == (ssize_t)size)
            ;
    fsync(filler);
}

static void end_filler(void)
{
    cr_assert_eq(ftruncate(filler, 0), 0);
    close(filler);
    mounts_command("sync -f %s", mounts_directory);
}

/* A full disk: NULL with ENOMEM. What was handed out before has its space. */
static void fill_system(const struct file_system *system, size_t size)
{
    size_t first, again;
    memkind_t kind;

    mounts_mount(system, size);
    kind = mounts_create(0);
    first = mounts_take(kind, 1000, 60000, SIZE_MAX, false);
    cr_assert_geq(first, size / 3, "%zu bytes of %zu", first, size);
    mounts_verify();
    mounts_free(kind);
    again = mounts_take(kind, 1000, 60000, SIZE_MAX, false);
    cr_assert_geq(again, first / 4 * 3, "%zu bytes at first, %zu later", first, again);
    mounts_verify();
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    mounts_count = 0;

    /* Somebody else fills it while the kind's pages are free, given back, or handed out. */
    kind = mounts_create(0);
    mounts_take(kind, 1000, 60000, first / 2, false);
    fill_up();
    mounts_verify();
    mounts_free(kind);
    test_decay(kind);
    mounts_take(kind, 1000, 60000, SIZE_MAX, false);
    mounts_verify();
    mounts_free(kind);
    test_decay(kind);
    fill_up();
    mounts_take(kind, 100000, 3000000, SIZE_MAX, false);
    mounts_verify();
    mounts_free(kind);
    end_filler();
    mounts_take(kind, 1000, 60000, first / 4, false);
    mounts_free(kind);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

Test(pmem_fs, full_tmpfs)
{
    fill_system(&mounts_tmpfs, 48 * MIB);
}

Test(pmem_fs, full_ext4)
{
    fill_system(&mounts_ext4, 96 * MIB);
}

Test(pmem_fs, full_xfs)
{
    fill_system(&mounts_xfs, 320 * MIB);
}

Test(pmem_fs, full_ext2)
{
    fill_system(&mounts_ext2, 96 * MIB);
}
