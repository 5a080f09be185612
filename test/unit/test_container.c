/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_container: what a container leaves a process: memory below the limits of its memory cgroups,
 * and system calls that a sandbox does not refuse.
 *
 * Limits come from files of this program's own, in place of /proc/self and the cgroups' file
 * systems, and once from a cgroup of the machine. Static library.
 */
#include "mounts.h"
#include "support.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds/system/memory_cgroup.h"
#include "kinds/system/os.h"

#define NO_LIMIT MEMORY_CGROUP_NO_LIMIT

static char root[] = "/tmp/memkind-test-XXXXXX";

/* "%s" in the text is the root. */
__attribute__((format(printf, 2, 0))) static void write_file(const char *name, const char *text)
{
    char path[512], folder[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        cr_assert(mkdir(folder, 0700) == 0 || errno == EEXIST);
    }
    file = fopen(path, "we");
    cr_assert(file, "%s: %s", path, strerror(errno));
    fprintf(file, text, root);
    fclose(file);
}

static void begin(void)
{
    test_with_nodes();
    cr_assert(mkdtemp(root));
    memory_cgroup_proc = root;
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", root);
    cr_assert_eq(system(command), 0);
}

TestSuite(container, .init = begin, .fini = end, .timeout = 120);

/* --- where the limits are --------------------------------------------------------------------- */

/* Less a 64th of the limit, which is spared. */
static uint64_t left(uint64_t limit, uint64_t used)
{
    return limit - limit / 64 - used;
}

Test(container, no_cgroup_is_no_limit)
{
    cr_expect_eq(memory_cgroup_room(), NO_LIMIT);
    write_file("cgroup", "0::/a\n");
    cr_expect_eq(memory_cgroup_room(), NO_LIMIT);
    write_file("mountinfo", "1 2 0:1 / %s/fs rw - cgroup2 cgroup rw\n");
    write_file("fs/a/memory.max", "max\n");
    cr_expect_eq(memory_cgroup_room(), NO_LIMIT);
    cr_expect_not(memory_cgroup_is_limited());
}

/* The least of all levels, as far as there is a limit. */
Test(container, ancestors_count)
{
    write_file("cgroup", "0::/a/b/c\n");
    write_file("mountinfo", "1 2 0:1 / /proc rw - proc proc rw\n"
                            "3 2 0:2 / %s/fs rw,nosuid shared:4 - cgroup2 cgroup rw\n");
    write_file("fs/a/b/c/memory.max", "max\n");
    write_file("fs/a/b/memory.max", "640000000\n");
    write_file("fs/a/b/memory.current", "40000000\n");
    write_file("fs/a/memory.max", "64000000\n");
    write_file("fs/a/memory.current", "13000000\n");
    cr_expect_eq(memory_cgroup_room(), left(64000000, 13000000));
    cr_expect(memory_cgroup_is_limited());
    write_file("fs/a/b/c/memory.max", "6400\n");
    write_file("fs/a/b/c/memory.current", "6400\n");
    cr_expect_eq(memory_cgroup_room(), 0);
}

/* Pages of files go when others need them. */
Test(container, cached_files_are_not_in_use)
{
    write_file("cgroup", "0::/\n");
    write_file("mountinfo", "3 2 0:2 / %s/fs rw - cgroup2 cgroup rw");
    write_file("fs/memory.max", "64000000\n");
    write_file("fs/memory.current", "60000000\n");
    write_file("fs/memory.stat", "anon 1\nworkingset_active_file 7\ninactive_file 30000000\n"
                                 "active_file 20000000\n");
    cr_expect_eq(memory_cgroup_room(), left(64000000, 10000000));
}

Test(container, version_1)
{
    write_file("cgroup", "9:name=systemd:/x\n4:cpuset,memory:/a\n0::/x\n");
    write_file("mountinfo", "3 2 0:2 / %1$s/systemd rw - cgroup cgroup rw,name=systemd\n"
                            "4 2 0:2 / %1$s/un\\040ified rw - cgroup2 cgroup2 rw\n"
                            "5 2 0:2 / %1$s/mem\\040ory rw - cgroup cgroup rw,cpuset,memory\n");
    write_file("mem ory/memory.limit_in_bytes", "9223372036854771712\n");
    write_file("mem ory/a/memory.limit_in_bytes", "64000000\n");
    write_file("mem ory/a/memory.usage_in_bytes", "44000000\n");
    write_file("mem ory/a/memory.stat", "inactive_file 9\ntotal_inactive_file 4000000\n");
    cr_expect_eq(memory_cgroup_room(), left(64000000, 40000000));
}

/* A container sees its own cgroup as the root, or under another's path. */
Test(container, a_container_sees_only_its_own)
{
    static const char *const memberships[] = {"0::/docker/1/inner\n", "0::/../2\n", "0::/other\n"};

    write_file("mountinfo", "3 2 0:2 /docker/1 %s/fs rw - cgroup2 cgroup rw\n");
    write_file("fs/memory.max", "64000000\n");
    write_file("fs/memory.current", "0\n");
    write_file("fs/inner/memory.max", "32000000\n");
    write_file("fs/inner/memory.current", "0\n");
    for (size_t i = 0; i < LENGTH(memberships); i++) {
        write_file("cgroup", memberships[i]);
        cr_expect_eq(memory_cgroup_room(), left(i ? 64000000 : 32000000, 0), "%s", memberships[i]);
    }
}

Test(container, nonsense_is_no_limit)
{
    static char longest[8192];

    memset(longest, 'a', sizeof longest - 2);
    write_file("cgroup", longest);
    write_file("mountinfo", longest);
    cr_expect_eq(memory_cgroup_room(), NO_LIMIT);
    write_file("cgroup", ":\n::\n0:\n\n0::\n7:memory\n");
    write_file("mountinfo", "- - - - - - - -\n - cgroup2\n3 2 0:2 / /x rw - cgroup2\n\n");
    cr_expect_eq(memory_cgroup_room(), NO_LIMIT);
}

/* --- what a kind then gets -------------------------------------------------------------------- */

static void limit_to(size_t limit, size_t used)
{
    char text[64];

    write_file("cgroup", "0::/\n");
    write_file("mountinfo", "3 2 0:2 / %s/fs rw - cgroup2 cgroup rw\n");
    snprintf(text, sizeof text, "%zu\n", limit);
    write_file("fs/memory.max", text);
    snprintf(text, sizeof text, "%zu\n", used);
    write_file("fs/memory.current", text);
}

static bool gets(memkind_t kind, size_t size)
{
    errno = 0;
    if (memkind_malloc(kind, size))
        return true;
    cr_expect_eq(errno, ENOMEM);
    return false;
}

/* Bound to all nodes or to some; what was handed out and not touched counts. */
Test(container, bound_kinds_end_at_the_limit)
{
    limit_to(200 * MIB, 50 * MIB);
    cr_expect(!gets(MEMKIND_REGULAR, 160 * MIB));
    cr_expect(gets(MEMKIND_REGULAR, 80 * MIB));
    cr_expect(!gets(MEMKIND_HBW, 80 * MIB));
    cr_expect(gets(MEMKIND_HBW, 40 * MIB));
    cr_expect(gets(MEMKIND_DEFAULT, 300 * MIB));
    cr_expect(gets(MEMKIND_HBW_PREFERRED, 300 * MIB));
    cr_expect(gets(MEMKIND_INTERLEAVE, 300 * MIB));
}

/* The limit is raised, or memory is freed elsewhere. */
Test(container, room_is_looked_at_again)
{
    limit_to(64 * MIB, 60 * MIB);
    cr_expect(!gets(MEMKIND_REGULAR, 20 * MIB));
    limit_to(64 * MIB, 10 * MIB);
    cr_expect(gets(MEMKIND_REGULAR, 20 * MIB));
}

Test(container, files_in_memory_end_at_the_limit)
{
    struct statfs system;
    memkind_t kind;

    if (statfs("/dev/shm", &system) || system.f_type != 0x01021994)
        test_skip("/dev/shm is no tmpfs");
    limit_to(64 * MIB, 0);
    cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &kind), 0);
    cr_expect(gets(kind, 8 * MIB));
    limit_to(64 * MIB, 60 * MIB);
    cr_expect(!gets(kind, 8 * MIB));
    cr_expect_eq(memkind_destroy_kind(kind), 0);
}

/* --- a cgroup of the machine ------------------------------------------------------------------ */

#define LIMIT (96 * MIB)

struct filled {
    size_t bytes;
    int error;
};

static bool write_to(const char *folder, const char *name, size_t number)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return test_write_number(path, number);
}

/* Makes a cgroup with a limit, of whichever version the machine has memory in. */
static bool make_cgroup(char folder[128])
{
    static const char *const parents[][2] = {{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                                             {"/sys/fs/cgroup", "memory.max"}};

    for (size_t i = 0; i < LENGTH(parents); i++) {
        snprintf(folder, 128, "%s/memkind-test-%d", parents[i][0], (int)getpid());
        if (mkdir(folder, 0700))
            continue;
        if (write_to(folder, parents[i][1], LIMIT))
            return true;
        rmdir(folder);
    }
    return false;
}

static void fill(memkind_t kind, size_t size, struct filled *filled)
{
    unsigned char *block;

    while (filled->bytes < 4 * LIMIT && (block = memkind_malloc(kind, size))) {
        memset(block, 1, size);
        filled->bytes += size;
    }
    filled->error = errno;
}

static void fill_in_cgroup(const char *folder, bool file, size_t size, struct filled *filled)
{
    memkind_t kind = MEMKIND_HBW;
    int status;
    pid_t child = fork();

    if (child == 0) {
        memory_cgroup_proc = "/proc/self";
        if (!write_to(folder, "cgroup.procs", (size_t)getpid()) ||
            (file && memkind_create_pmem("/dev/shm", 0, &kind)))
            _exit(2);
        fill(kind, size, filled);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "%s of %zu: status %#x, %zu MiB served", file ? "a file" : "HBW", size,
                 (unsigned)status, filled->bytes / MIB);
}

/* The end is NULL with ENOMEM, not the kernel's killer, and most of the limit is served before. */
Test(container, a_limit_of_the_machine)
{
    static const size_t sizes[] = {200, 5 * MIB};
    struct filled *filled = test_shared(sizeof *filled);
    char folder[128];

    if (!make_cgroup(folder))
        test_skip("no memory cgroup can be made");
    for (size_t i = 0; i < 2 * LENGTH(sizes); i++) {
        memset(filled, 0, sizeof *filled);
        fill_in_cgroup(folder, i % 2, sizes[i / 2], filled);
        cr_expect_eq(filled->error, ENOMEM);
        cr_expect_geq(filled->bytes, LIMIT / 2, "%zu MiB", filled->bytes / MIB);
        cr_expect_leq(filled->bytes, LIMIT);
    }
    cr_expect_eq(rmdir(folder), 0);
}

/* --- calls that a sandbox refuses ------------------------------------------------------------- */

static void use_preferred(void *argument)
{
    memkind_t kinds[] = {MEMKIND_HBW_PREFERRED, MEMKIND_DAX_KMEM_PREFERRED,
                         MEMKIND_HIGHEST_CAPACITY_PREFERRED};
    struct test_mask nodes;
    bool *well = argument;

    test_refuse(SYS_mbind, EPERM, 0, 0);
    *well = true;
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        char *block = memkind_malloc(kinds[i], 100);

        *well &= block && memkind_check_available(kinds[i]) == 0;
        if (!block)
            continue;
        *block = 1;
        *well &= test_policy(block, &nodes) == MPOL_DEFAULT;
        memkind_free(kinds[i], block);
    }
    *well &= memkind_check_available(MEMKIND_HBW) == MEMKIND_ERROR_MBIND;
}

Test(container, without_mbind_nothing_is_preferred)
{
    static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, use_preferred, well, debug);
    cr_expect(*well, "%s", child.errors);
    cr_expect(test_line(child.errors, "refuses mbind .*: no nodes are preferred"), "%s",
              child.errors);
}

static void use_without_mincore(void *argument)
{
    size_t size = 16 * MIB, untouched;
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool *well = argument;
    memkind_t kind;

    memset(area, 1, size / 4);
    test_refuse(SYS_mincore, EPERM, 0, 0);
    untouched = size - os_backed(area, size);
    *well = untouched == size / 4 * 3;
    *well &= memkind_create_fixed(area, size, &kind) == 0;
    *well &= *well && memkind_malloc(kind, MIB);
    munmap(area + size / 2, 4096 * 16);
    *well &= memkind_create_fixed(area + size / 4, size / 2, &kind) == MEMKIND_ERROR_INVALID;
}

Test(container, without_mincore_areas_are_checked)
{
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, use_without_mincore, well, NULL);
    cr_expect(*well);
}

struct file_use {
    int error;
    size_t most, left; /* bytes in use on the file system */
};

static void use_file_without_fallocate(void *argument)
{
    struct file_use *use = argument;
    size_t before = mounts_used();
    memkind_t kind;
    void *block;

    test_refuse(SYS_fallocate, EPERM, 0, 0);
    use->error = memkind_create_pmem(mounts_directory, 64 * MIB, &kind);
    if (use->error)
        return;
    block = memkind_malloc(kind, 32 * MIB);
    use->error = block ? 0 : errno;
    if (!block)
        return;
    memset(block, 1, 32 * MIB);
    use->most = mounts_used() - before;
    memkind_free(kind, block);
    test_decay(kind);
    use->left = mounts_used() - before;
    use->error = memkind_destroy_kind(kind);
}

/* Space is reserved by writing, and goes back by another call. */
Test(container, without_fallocate_a_file_serves, .init = mounts_begin, .fini = mounts_end)
{
    struct file_use *use = test_shared(sizeof *use);
    struct test_child child;

    mounts_mount(&mounts_tmpfs, 128 * MIB);
    test_run_well(&child, use_file_without_fallocate, use, NULL);
    cr_expect_eq(use->error, 0);
    cr_expect_geq(use->most, 32 * MIB);
    cr_expect_lt(use->left, 16 * MIB, "%zu MiB stay", use->left / MIB);
    mounts_unmount();
}
