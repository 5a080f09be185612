/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see mounts.h. */
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

static char scratch[] = "/tmp/memkind-pmem-XXXXXX";
char mounts_directory[64];
static char image[64];
static pid_t owner;

/* --- file systems ----------------------------------------------------------------------------- */

/* clang-format off */
const struct file_system mounts_tmpfs = {"tmpfs", NULL,               512 * MIB, true,  true,  true};
const struct file_system mounts_ext4  = {"ext4",  "mkfs.ext4 -q -F",  512 * MIB, true,  true,  true};
const struct file_system mounts_xfs   = {"xfs",   "mkfs.xfs -q -f",   512 * MIB, true,  true,  true};
const struct file_system mounts_ext2  = {"ext2",  "mkfs.ext2 -q -F",  512 * MIB, false, true,  true};
const struct file_system mounts_ramfs = {"ramfs", NULL,               0,         false, false, false};
/* clang-format on */

void mounts_end(void)
{
    if (getpid() != owner)
        return;
    umount2(mounts_directory, MNT_DETACH); /* frees the loop device, too */
    rmdir(mounts_directory);
    unlink(image);
    rmdir(scratch);
}

bool mounts_command(const char *format, ...)
{
    char command[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command) == 0;
}

static void need_command(const char *command)
{
    if (!mounts_command("PATH=$PATH:/sbin:/usr/sbin command -v %s >/dev/null", command))
        test_skip("%s is not installed", command);
}

void mounts_begin(void)
{
    test_bare();
    owner = getpid();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
    cr_assert(mkdtemp(scratch), "mkdtemp: %s", strerror(errno));
    snprintf(mounts_directory, sizeof mounts_directory, "%s/mounted", scratch);
    snprintf(image, sizeof image, "%s/image", scratch);
    cr_assert_eq(mkdir(mounts_directory, 0700), 0);
}

static bool namespace_of_its_own(void)
{
    static bool done;

    if (!done)
        done =
            unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return done;
}

/* Mounts it at `mounts_directory`, `size` bytes large (0: its usual size). */
void mounts_mount(const struct file_system *system, size_t size)
{
    char options[64] = "";

    size = size ? size : system->size;
    if (!namespace_of_its_own())
        test_skip("no mount namespace: %s", strerror(errno));
    if (!system->make) {
        if (system->size)
            snprintf(options, sizeof options, "size=%zu", size);
        if (mount("none", mounts_directory, system->name, 0, options))
            test_skip("mount %s: %s", system->name, strerror(errno));
        return;
    }
    need_command(strcmp(system->name, "xfs") == 0 ? "mkfs.xfs" : "mkfs.ext4");
    cr_assert(mounts_command("truncate -s %zu %s", size, image));
    cr_assert(mounts_command("%s %s >&2", system->make, image), "%s", system->make);
    if (access("/dev/loop-control", F_OK) != 0)
        test_skip("no loop devices: /dev/loop-control does not exist");
    if (!mounts_command("mount -o loop -t %s %s %s", system->name, image, mounts_directory))
        test_skip("a loop-mounted %s is not permitted", system->name);
}

void mounts_unmount(void)
{
    cr_assert_eq(umount2(mounts_directory, 0), 0, "umount: %s: something is still open",
                 strerror(errno));
    unlink(image);
}

/* Bytes in use on the file system. */
size_t mounts_used(void)
{
    struct statvfs now;

    cr_assert_eq(statvfs(mounts_directory, &now), 0);
    return (size_t)(now.f_blocks - now.f_bfree) * now.f_frsize;
}

/* File systems free in the background: polled, up to a deadline. */
bool mounts_used_falls_to(size_t most)
{
    for (int i = 0; i < 200; i++) {
        if (mounts_used() <= most)
            return true;
        mounts_command("sync -f %s", mounts_directory);
        usleep(50000);
    }
    return false;
}

/* --- blocks ----------------------------------------------------------------------------------- */

memkind_t mounts_create(size_t limit)
{
    memkind_t kind = NULL;
    int code = memkind_create_pmem(mounts_directory, limit, &kind);

    cr_assert_eq(code, MEMKIND_SUCCESS, "create_pmem: %d", code);
    return kind;
}

memkind_t mounts_create_conservative(size_t limit)
{
    struct memkind_config *config = memkind_config_new();
    memkind_t kind = NULL;
    int code;

    cr_assert(config);
    memkind_config_set_path(config, mounts_directory);
    memkind_config_set_size(config, limit);
    memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
    code = memkind_create_pmem_with_config(config, &kind);
    cr_assert_eq(code, MEMKIND_SUCCESS, "create_pmem_with_config: %d", code);
    memkind_config_delete(config);
    return kind;
}

#define MOUNTS_MOST 1200000

struct mounts_block mounts_blocks[MOUNTS_MOST];
size_t mounts_count;

/* Takes blocks of random sizes until there are no more, or enough; all are written. Bytes taken. */
size_t mounts_take(memkind_t kind, size_t least, size_t most, size_t enough, bool usable)
{
    uint64_t random = 12345 + mounts_count;
    size_t sum = 0;

    while (mounts_count < MOUNTS_MOST && sum < enough) {
        size_t size = least + test_random(&random) % (most - least + 1);
        unsigned char *at;

        errno = TEST_ERRNO;
        at = memkind_malloc(kind, size);
        if (!at) {
            cr_assert_eq(errno, ENOMEM, "no block: errno %d", errno);
            return sum;
        }
        test_fill(at, size, mounts_count);
        mounts_blocks[mounts_count].at = at;
        mounts_blocks[mounts_count++].size = size;
        sum += usable ? memkind_malloc_usable_size(kind, at) : size;
    }
    cr_assert(sum >= enough, "no end after %zu bytes", sum);
    return sum;
}

void mounts_verify(void)
{
    for (size_t i = 0; i < mounts_count; i++)
        cr_assert(test_holds(mounts_blocks[i].at, mounts_blocks[i].size, i),
                  "block %zu of %zu bytes was lost", i, mounts_blocks[i].size);
}

void mounts_free(memkind_t kind)
{
    mounts_verify();
    for (; mounts_count; mounts_count--)
        memkind_free(mounts_count % 2 ? kind : NULL, mounts_blocks[mounts_count - 1].at);
}
