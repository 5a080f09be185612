/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-profile's way with DAMON, in a folder that looks like the kernel's: what it refuses, and
 * that it takes back what it did. A file that is missing stands for what a kernel does not have.
 * With the kernel's own: test/system/vm/checks.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/profile_damon.h"

static char root[] = "/tmp/memkind-damon-XXXXXX";

static char *path_of(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

/* With all folders that it lies in. */
static void put(const char *name, const char *text)
{
    char *path = path_of(name);
    FILE *stream;

    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    stream = fopen(path, "w");
    cr_assert(stream);
    fputs(text, stream);
    fclose(stream);
}

static const char *get(const char *name)
{
    static char text[64];
    FILE *stream = fopen(path_of(name), "r");

    cr_assert(stream, "%s", name);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

#define SCHEME "0/contexts/0/schemes/0/"
static const char *const files[] = {
    "0/state",
    "0/contexts/nr_contexts",
    "0/contexts/0/operations",
    "0/contexts/0/avail_operations",
    "0/contexts/0/monitoring_attrs/intervals/sample_us",
    "0/contexts/0/monitoring_attrs/intervals/aggr_us",
    "0/contexts/0/monitoring_attrs/intervals/update_us",
    "0/contexts/0/monitoring_attrs/nr_regions/max",
    "0/contexts/0/monitoring_attrs/nr_regions/min",
    "0/contexts/0/targets/nr_targets",
    "0/contexts/0/targets/0/pid_target",
    "0/contexts/0/schemes/nr_schemes",
    SCHEME "action",
    SCHEME "access_pattern/sz/min",
    SCHEME "access_pattern/sz/max",
    SCHEME "access_pattern/nr_accesses/min",
    SCHEME "access_pattern/nr_accesses/max",
    SCHEME "access_pattern/age/min",
    SCHEME "access_pattern/age/max",
    SCHEME "tried_regions/total_bytes",
};

static void make(void)
{
    cr_assert(mkdtemp(root));
    put("nr_kdamonds", "0");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        put(files[i], "");
}

static void destroy(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", root);
    cr_assert(!system(command));
}

static void refused(const char *reason)
{
    char why[PROFILE_WHY] = "";

    cr_assert(!damon_open(root, 77, why));
    cr_assert(strstr(why, reason), "%s", why);
}

TestSuite(profile_damon, .init = make, .fini = destroy);

Test(profile_damon, watches_the_process_and_takes_it_back)
{
    char why[PROFILE_WHY], *text = NULL;
    struct damon *damon = damon_open(root, 4711, why);
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    unsigned long long second, part;
    int end = 0;

    cr_assert(damon, "%s", why);
    cr_assert_str_eq(get("nr_kdamonds"), "1");
    cr_assert_str_eq(get("0/contexts/0/operations"), "vaddr");
    cr_assert_str_eq(get("0/contexts/0/targets/0/pid_target"), "4711");
    cr_assert_str_eq(get(SCHEME "action"), "stat");
    cr_assert_str_eq(get("0/state"), "on");
    put(SCHEME "tried_regions/3/start", "140000000000000\n");
    put(SCHEME "tried_regions/3/end", "140000000065536\n");
    put(SCHEME "tried_regions/3/nr_accesses", "20\n");
    put(SCHEME "tried_regions/4/start", "5\n"); /* goes while it is read */
    damon_drain(damon, stream);
    cr_assert_str_eq(get("0/state"), "update_schemes_tried_regions");
    damon_drain(damon, stream); /* too early */
    fclose(stream);
    cr_assert_eq(sscanf(text, "%llu.%9llu: 7f544a44c000-7f544a45c000 20\n%n", &second, &part, &end),
                 2, "%s", text);
    cr_assert_eq((size_t)end, size, "%s", text);
    damon_close(damon);
    cr_assert_str_eq(get("0/state"), "off");
    cr_assert_str_eq(get("nr_kdamonds"), "0");
    free(text);
}

Test(profile_damon, leaves_another_users_alone)
{
    int file;

    put("nr_kdamonds", "2\n");
    put("0/state", "on\n");
    refused("another user has DAMON: 2 in ");
    refused("and it is on");
    put("0/state", "off\n");
    refused("which nobody has taken back");
    cr_assert_str_eq(get("nr_kdamonds"), "2\n");
    cr_assert_str_eq(get("0/state"), "off\n");
    cr_assert_str_empty(get("0/contexts/0/operations"));

    put("nr_kdamonds", "0\n");
    file = open(path_of("nr_kdamonds"), O_RDONLY);
    flock(file, LOCK_EX);
    refused("another profile has DAMON");
    close(file);
    cr_assert_str_eq(get("nr_kdamonds"), "0\n");
}

Test(profile_damon, says_what_the_kernel_does_not_have)
{
    char why[PROFILE_WHY];

    cr_assert(!damon_open("/nowhere", 77, why));
    cr_assert(strstr(why, "this kernel has no DAMON"), "%s", why);
    unlink(path_of(SCHEME "tried_regions/total_bytes"));
    rmdir(path_of(SCHEME "tried_regions"));
    refused("before Linux 6.2");
    cr_assert_str_eq(get("nr_kdamonds"), "0");
    cr_assert_str_eq(get("0/state"), "off");
}

/* Whichever file is the one, nothing is left. */
Test(profile_damon, takes_back_what_cannot_be_finished)
{
    for (size_t i = 1; i < sizeof files / sizeof files[0]; i++) {
        if (strstr(files[i], "avail_operations") || strstr(files[i], "total_bytes"))
            continue;
        unlink(path_of(files[i]));
        refused("No such file or directory");
        cr_assert_str_eq(get("nr_kdamonds"), "0", "%s", files[i]);
        cr_assert_str_eq(get("0/state"), "off", "%s", files[i]);
        put(files[i], "");
    }
    unlink(path_of("nr_kdamonds"));
    refused("nr_kdamonds: No such file or directory");
}
