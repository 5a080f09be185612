/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see support.h. What the kernel says of this process: its mappings, pages, threads and
 * descriptors. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

bool test_find_mapping(const void *address, struct test_mapping *mapping)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[1024];
    bool inside = false;

    cr_assert(file, "/proc/self/smaps: %s", strerror(errno));
    memset(mapping, 0, sizeof *mapping);
    while (fgets(line, sizeof line, file)) {
        uintptr_t start, end;
        int name = 0;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &name) >= 2) {
            if (inside)
                break;
            inside = (uintptr_t)address >= start && (uintptr_t)address < end;
            if (inside) {
                mapping->start = start;
                mapping->end = end;
                snprintf(mapping->name, sizeof mapping->name, "%s", line + name);
            }
        } else if (inside) {
            (void)sscanf(line, "KernelPageSize: %zu", &mapping->page_size);
            (void)sscanf(line, "VmFlags: %255[^\n]", mapping->flags);
        }
    }
    fclose(file);
    mapping->page_size *= KIB;
    return mapping->end != 0;
}

/* A page that the kernel is moving has no node for a moment, but mincore(2) counts it. */
static bool is_moving(void *address, int node)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident = 0;

    return node == -ENOENT &&
           mincore((void *)((uintptr_t)address & ~(page - 1)), page, &resident) == 0 &&
           (resident & 1);
}

int test_page_node(void *address)
{
    int node = -ENOSYS;

    for (int turn = 0; turn < 1000; turn++) {
        if (syscall(SYS_move_pages, 0, 1, &address, NULL, &node, 0))
            return -errno;
        if (!is_moving(address, node))
            break;
        usleep(50);
    }
    return node;
}

int test_policy(void *address, struct test_mask *nodes)
{
    int mode = -1;

    memset(nodes, 0, sizeof *nodes);
    cr_assert(syscall(SYS_get_mempolicy, &mode, nodes->bits, TEST_NODES, address, MPOL_F_ADDR) == 0,
              "get_mempolicy: %s", strerror(errno));
    return mode;
}

bool test_is_mapped(const void *address)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident;

    return mincore((void *)((uintptr_t)address & ~(page - 1)), 1, &resident) == 0;
}

static size_t status_number(const char *name)
{
    char text[8192];
    const char *line =
        test_read_text("/proc/self/status", text, sizeof text) ? strstr(text, name) : NULL;

    return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

size_t test_resident(void)
{
    return status_number("VmRSS:") * KIB;
}

size_t test_virtual(void)
{
    return status_number("VmSize:") * KIB;
}

size_t test_threads(void)
{
    return status_number("Threads:");
}

size_t test_threads_after(size_t count)
{
    for (int wait = 0; test_threads() != count && wait < 10000; wait++)
        usleep(1000);
    return test_threads();
}

size_t test_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    cr_assert(folder, "/proc/self/fd: %s", strerror(errno));
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder's own */
}

size_t test_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    size_t lines = 0;
    int c;

    cr_assert(file, "/proc/self/maps: %s", strerror(errno));
    while ((c = getc(file)) != EOF)
        lines += c == '\n';
    fclose(file);
    return lines;
}

size_t test_mappings_named(const char *name)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[4096 + 128];
    size_t count = 0;

    cr_assert(file, "/proc/self/maps: %s", strerror(errno));
    while (fgets(line, sizeof line, file))
        count += strstr(line, name) != NULL;
    fclose(file);
    return count;
}
