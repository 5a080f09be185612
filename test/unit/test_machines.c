/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_machines: what the library makes of machines that are not here.
 *
 * test/machines/NAME.machine describes one, make_tree.py turns it into a tree like /sys in the
 * build folder, NAME.kinds is what the library is expected to say: every node and every static
 * kind. machine.c puts this process on that machine.
 *
 * What was said last is in the build folder, machines/NAME/kinds: to take it over, read it, then
 * copy it.
 */
#include "support.h"

#include <errno.h>
#include <glob.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/machine/report.h"
#include "kinds/system/sysfs.h"
#include "machine.h"

static void reject(const char *name, const char *why)
{
    (void)name, (void)why;
}

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
    (void)format;
}

/* From here on, this process is on that machine. False: there is none. */
static bool be(const char *name)
{
    static const struct callbacks services = {
        .environment = machine_variable, .reject = reject, .log = say};

    if (!machine_be(name))
        return false;
    callbacks_set(&services);
    return true;
}

/* --- what the library says, in words ---------------------------------------------------------- */

static const char *size_text(uint64_t size)
{
    static char text[4][32];
    static unsigned next;
    char *this = text[next++ % LENGTH(text)];

    if (size % GIB == 0)
        snprintf(this, sizeof text[0], "%llu GiB", (unsigned long long)(size / GIB));
    else if (size % MIB == 0)
        snprintf(this, sizeof text[0], "%llu MiB", (unsigned long long)(size / MIB));
    else
        snprintf(this, sizeof text[0], "%llu KiB", (unsigned long long)(size / KIB));
    return this;
}

static void write_node(FILE *file, const struct node_report *node)
{
    char initiators[64];

    fprintf(file, "node %u: %s, %s free, CPUs %s%s; %s (%s)%s%s%s%s", node->node,
            size_text(node->size), size_text(node->unused), *node->cpus ? node->cpus : "none",
            node->usable ? "" : ", not for us", memory_type_name(node->type),
            info_source_name(node->source), *node->device ? ", " : "", node->device,
            node->hbw ? ", HBW" : "", node->dax ? ", DAX_KMEM" : "");
    if (node->tier >= 0)
        fprintf(file, ", tier %d", node->tier);
    if (node->type != MEMORY_NONE) {
        nodemask_format(&node->numbers.initiators, initiators, sizeof initiators);
        fprintf(file, "; %u MB/s, %u ns (%s), near CPUs of %s", node->bandwidth, node->latency,
                info_source_name(node->numbers.source), initiators);
    }
    fprintf(file, "\n");
}

/* Groups of nodes with CPUs that see the same: "0-1: 2" or "0: 2, 1: 3" or "all: 2". */
static void write_kind_nodes(FILE *file, const struct page_kind *kind)
{
    const struct nodemask *with_cpu = &topology_get()->with_cpu;
    static struct kind_cpus groups[NODEMASK_NODES];
    size_t count = report_kind_cpus(kind, groups);
    char text[64];

    for (const struct kind_cpus *group = groups; group < groups + count; group++) {
        nodemask_format(&group->cpu_nodes, text, sizeof text);
        fprintf(file, "%s%s: ", group == groups ? "" : ", ",
                nodemask_equal(&group->cpu_nodes, with_cpu) ? "all" : text);
        nodemask_format(&group->nodes, text, sizeof text);
        if (group->error)
            fprintf(file, "error %d", group->error);
        else
            fprintf(file, "%s", text);
    }
}

static void write_kind(FILE *file, const struct page_kind *kind)
{
    struct kind_report report;

    report_kind(kind, &report);
    fprintf(file, "%s: ", report.name + strlen("MEMKIND_"));
    if (report.error) {
        fprintf(file, "error %d: %s\n", report.error, report.why);
        return;
    }
    fprintf(file, "%s", report.policy);
    if (kind->page_size)
        fprintf(file, ", %s pages", size_text(report.page_size));
    fprintf(file, ", %s%s; ", size_text((uint64_t)report.capacity), report.local ? ", local" : "");
    write_kind_nodes(file, kind);
    fprintf(file, " (%s)\n", report.why);
}

static bool write_report(const char *name)
{
    struct node_report node;
    char path[320];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s/kinds", MEMKIND_TEST_MACHINES, name);
    file = fopen(path, "we");
    if (!file)
        return false;
    for (unsigned number = 0; number < NODEMASK_NODES; number++)
        if (report_node(number, &node))
            write_node(file, &node);
    for (size_t i = 0; i < MEMKIND_NUM_BASE_KIND; i++)
        write_kind(file, &page_kind_static[i]);
    return fclose(file) == 0;
}

/* --- compared with what is expected ----------------------------------------------------------- */

struct look {
    char name[64];
    bool well;
};

static void look_at_machine(void *argument)
{
    struct look *look = argument;

    look->well = be(look->name) && write_report(look->name);
}

/* The first lines that differ are said. */
static void compare(const char *name)
{
    char path[320], expected[512], said[512];
    FILE *left, *right;
    bool more_left, more_right;

    snprintf(path, sizeof path, "%s/test/machines/%s.kinds", MEMKIND_TEST_SOURCE_DIR, name);
    left = fopen(path, "re");
    cr_expect(left, "%s is missing", path);
    snprintf(path, sizeof path, "%s/%s/kinds", MEMKIND_TEST_MACHINES, name);
    right = fopen(path, "re");
    cr_assert(right);
    if (!left) {
        fclose(right);
        return;
    }
    do {
        more_left = fgets(expected, sizeof expected, left);
        more_right = fgets(said, sizeof said, right);
        if (more_left != more_right || (more_left && strcmp(expected, said) != 0)) {
            cr_expect_fail("%s:\n  expected %s  said     %s", name,
                           more_left ? expected : "the end\n", more_right ? said : "the end\n");
            break;
        }
    } while (more_left);
    fclose(left);
    fclose(right);
}

TestSuite(machines, .init = test_bare, .timeout = 300);

Test(machines, nodes_and_kinds_of_each)
{
    struct look *look = test_shared(sizeof *look);
    struct test_child child;
    glob_t machines;

    cr_assert_eq(glob(MEMKIND_TEST_SOURCE_DIR "/test/machines/*.machine", 0, NULL, &machines), 0);
    cr_assert_geq(machines.gl_pathc, 20);
    for (size_t i = 0; i < machines.gl_pathc; i++) {
        const char *name = strrchr(machines.gl_pathv[i], '/') + 1;

        snprintf(look->name, sizeof look->name, "%.*s", (int)strcspn(name, "."), name);
        look->well = false;
        test_run_well(&child, look_at_machine, look, NULL);
        cr_assert(look->well, "%s cannot be looked at", look->name);
        compare(look->name);
    }
    globfree(&machines);
}

/* --- what discovery costs --------------------------------------------------------------------- */

/* Every selector from every CPU: what the machine is asked for once. */
static void ask_everything(void)
{
    nodemask_for_each (node, &topology_get()->with_cpu) {
        for (size_t i = 0; i < MEMKIND_NUM_BASE_KIND; i++) {
            struct node_answer answer;

            selector_answer(page_kind_static[i].selector, NULL, (unsigned)node, &answer);
        }
    }
}

/* A constant number of files, and seven for each node: no more with every CPU, and nothing twice.
 */
Test(machines, files_are_opened_once)
{
    unsigned first;

    cr_assert(be("spr-hbm-snc4"));
    cr_assert_eq(machine.opened, 0, "something was read at load");
    ask_everything();
    first = machine.opened;
    cr_assert_geq(first, 16 * 7, "%u: the count counts nothing", first);
    cr_assert_leq(first, 7 + 16 * 7, "%u files", first);
    ask_everything();
    cr_assert_eq(machine.opened, first, "read again");
}

/* The same on the largest machine, with all that a tool asks for. A second look costs nothing but
 * what changes: MemFree, CPUs and huge pages. */
Test(machines, the_largest)
{
    static struct kind_cpus groups[NODEMASK_NODES];
    struct node_report node;
    unsigned first;
    size_t high = 0;

    cr_assert(be("1024-nodes"));
    ask_everything();
    first = machine.opened;
    cr_assert_geq(first, 1024 * 7, "%u files", first);
    cr_assert_leq(first, 7 + 32 + 1024 * 7, "%u files", first);
    for (unsigned number = 0; number < NODEMASK_NODES; number++) {
        cr_assert(report_node(number, &node));
        cr_assert_eq(node.tier, 4);
        high += node.hbw;
    }
    cr_assert_eq(high, 256);
    cr_assert_leq(machine.opened, first + 2 + 1024 * 2, "%u files", machine.opened - first);
    first = machine.opened;
    cr_assert_eq(report_kind_cpus(&page_kind_static[MEMKIND_PARTITION_HBW], groups), 257);
    cr_assert_eq(nodemask_count(&groups[0].nodes), 1, "HBM is beside node 0");
    cr_assert_eq(nodemask_count(&groups[256].cpu_nodes), 512, "and beside none of these");
    cr_assert_eq(report_kind_cpus(&page_kind_static[MEMKIND_PARTITION_REGULAR], groups), 1);
    cr_assert_eq(machine.opened, first, "read again");
}

/* A kind that needs no numbers does not read them. */
Test(machines, numbers_are_read_when_needed)
{
    char why[NODE_ANSWER_WHY];

    cr_assert(be("spr-hbm-snc4"));
    cr_assert_eq(page_kind_check(&page_kind_static[MEMKIND_PARTITION_REGULAR], why, sizeof why), 0);
    cr_assert_leq(machine.opened, 4 + 16 * 2, "%u files", machine.opened);
}

/* --- a kernel that says no -------------------------------------------------------------------- */

static int check(int partition, char why[NODE_ANSWER_WHY])
{
    return page_kind_check(&page_kind_static[partition], why, 160);
}

/* A container that forbids mbind is no machine without nodes. */
Test(machines, forbidden_mbind_is_called_that)
{
    char why[NODE_ANSWER_WHY];

    cr_assert(be("equal-neighbours"));
    machine.refusal = EPERM;
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MBIND);
    cr_assert(strstr(why, "mbind") && strstr(why, "not permitted") && strstr(why, "seccomp"), "%s",
              why);
    cr_assert_eq(check(MEMKIND_PARTITION_HBW_PREFERRED, why), 0);
    cr_assert_eq(check(MEMKIND_PARTITION_HIGHEST_CAPACITY_PREFERRED, why), 0);
    cr_assert_eq(check(MEMKIND_PARTITION_DEFAULT, why), 0);
    machine.refusal = ENOSYS;
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MBIND);
    cr_assert_not(strstr(why, "seccomp"), "%s", why);
}

static void remove_memory(const char *left)
{
    static char root[sizeof machine.tree + 16];
    char command[2048];

    snprintf(root, sizeof root, "%s.later", machine.tree);
    snprintf(command, sizeof command,
             "rm -rf '%s' && cp -r '%s' '%s' && echo %s >'%s/" SYSFS_NODES "/has_memory'", root,
             machine.tree, root, left, root);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): paths of our own making */
    sysfs_root = root;
}

/* Nodes that go away, or out of the cpuset, while the program runs. mbind(2) then says EINVAL. */
Test(machines, removed_nodes_are_called_that)
{
    char why[NODE_ANSWER_WHY];

    cr_assert(be("equal-neighbours"));
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), 0);
    machine.refusal = EINVAL;
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MBIND, "both are still there");
    remove_memory("0-1,3");
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MBIND, "one is still there");
    remove_memory("0-1");
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    cr_assert(strstr(why, "2-3") && strstr(why, "any more"), "%s", why);
    remove_memory("0-3");
    snprintf(machine.allowed, sizeof machine.allowed, "0-1");
    cr_assert_eq(check(MEMKIND_PARTITION_HBW, why), MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
}

#define PREFERRED_MANY 5      /* MPOL_PREFERRED_MANY, Linux 5.15 */
#define WEIGHTED_INTERLEAVE 6 /* MPOL_WEIGHTED_INTERLEAVE, Linux 6.9 */

static const struct {
    int mode, refusal;
    int error, used; /* by the fallback */
    const char *nodes;
} fallbacks[] = {
    {PREFERRED_MANY, 0, 0, PREFERRED_MANY, "2-3"},
    {PREFERRED_MANY, EINVAL, 0, MPOL_PREFERRED, "2"},
    {PREFERRED_MANY, ENOSYS, 0, MPOL_PREFERRED, "2"},
    {PREFERRED_MANY, EPERM, 0, -1, "-"},
    {MPOL_PREFERRED, ENOSYS, 0, -1, "-"},
    {WEIGHTED_INTERLEAVE, 0, 0, WEIGHTED_INTERLEAVE, "2-3"},
    {WEIGHTED_INTERLEAVE, EINVAL, 0, MPOL_INTERLEAVE, "2-3"},
    {WEIGHTED_INTERLEAVE, ENOSYS, 0, MPOL_INTERLEAVE, "2-3"},
    {WEIGHTED_INTERLEAVE, EPERM, EPERM, -1, "-"},
    {MPOL_BIND, EINVAL, EINVAL, -1, "-"},
    {MPOL_INTERLEAVE, ENOSYS, ENOSYS, -1, "-"},
};

/* An older kernel does not know the mode (EINVAL), an older filter may say ENOSYS. */
Test(machines, newer_policies_fall_back)
{
    for (size_t i = 0; i < LENGTH(fallbacks); i++) {
        struct os_policy policy = {.mode = fallbacks[i].mode};
        char text[64];

        cr_assert(nodemask_parse("2-3", &policy.nodes));
        memset(&machine_bound, 0, sizeof machine_bound);
        machine_bound.mode = -1;
        machine.refusal = fallbacks[i].refusal;
        machine.refused_mode = fallbacks[i].mode;
        cr_expect_eq(page_kind_bind(NULL, 0, &policy), fallbacks[i].error, "row %zu", i);
        nodemask_format(&machine_bound.nodes, text, sizeof text);
        cr_expect_eq(machine_bound.mode, fallbacks[i].used, "row %zu: mode %d", i,
                     machine_bound.mode);
        cr_expect_str_eq(text, fallbacks[i].nodes, "row %zu: nodes %s", i, text);
    }
}

/* Equally near nodes are all preferred, or the first of them: the kind is there either way. */
Test(machines, preferred_kinds_never_fail_for_ties)
{
    char why[NODE_ANSWER_WHY];

    cr_assert(be("equal-neighbours"));
    for (int old = 0; old < 2; old++) {
        machine.refusal = old ? EINVAL : 0;
        machine.refused_mode = PREFERRED_MANY;
        cr_assert_eq(check(MEMKIND_PARTITION_HBW_PREFERRED, why), 0);
        cr_assert_eq(machine_bound.mode, old ? MPOL_PREFERRED : PREFERRED_MANY);
        cr_assert_eq(nodemask_count(&machine_bound.nodes), old ? 1 : 2);
        cr_assert_eq(check(MEMKIND_PARTITION_HIGHEST_CAPACITY_PREFERRED, why), 0);
        cr_assert_eq(nodemask_count(&machine_bound.nodes), old ? 1 : 2);
    }
}

/* --- a GPU's node ----------------------------------------------------------------------------- */

/* It is part of no kind, but who names it has it. */
Test(machines, a_node_of_a_gpu_is_taken_when_asked_for)
{
    memkind_t kind;
    void *block;
    char text[64];

    cr_assert(machine_be("gh200"));
    block = memkind_malloc(MEMKIND_INTERLEAVE, 100);
    cr_assert(block);
    cr_assert_not(nodemask_has(&machine_bound.nodes, 1));
    memkind_free(MEMKIND_INTERLEAVE, block);
    cr_assert_eq(memkind_create_nodes("1", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &kind), 0);
    cr_assert_eq(memkind_check_available(kind), 0);
    cr_assert_eq(memkind_get_capacity(kind), (ssize_t)(96 * GIB));
    block = memkind_malloc(kind, 100);
    cr_assert(block);
    nodemask_format(&machine_bound.nodes, text, sizeof text);
    cr_assert_str_eq(text, "1");
    cr_assert_eq(memkind_detect_kind(block), kind);
    memkind_free(kind, block);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}
