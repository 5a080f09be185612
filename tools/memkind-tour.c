/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-tour: every static kind of this machine, and one of each sort that a program can create,
 * described and tried.
 *
 * The table is the same under every heap manager. It says what the library believes of each kind:
 * nodes, policy, page size, capacity, or why it is not available. Only the inside of the library
 * knows all that, hence the static library. The last column says what the kernel knows of a block
 * of the kind once it is touched (trial.h): each kind is tried in a process of its own, a created
 * one thus in a forked child. Exit status 0: everything that should work here does.
 */
#include <memkind.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/system/nodemask.h"
#include "kinds/system/os.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/page_kind.h"
#include "kinds/machine/topology.h"
#include "special.h"
#include "trial.h"
#include "words.h"

#define MIB ((size_t)1 << 20)
#define BLOCK_SIZE MIB
#define HUGE_ENOUGH (8 * MIB)
#define OWN_SIZE (64 * MIB) /* of the fixed kind's area, and of the file */

/* One line of the table. */
struct exhibit {
    const char *name;
    memkind_t kind;
    const struct page_kind *row;
    bool must_work; /* on every machine */
    struct node_answer answer;
};

static struct result visit(struct exhibit *exhibit)
{
    char why[sizeof exhibit->answer.why];
    struct os_policy policy;
    struct trial trial = {exhibit->kind, exhibit->row, {{0}}, BLOCK_SIZE, HUGE_ENOUGH};
    int error = memkind_check_available(exhibit->kind);

    page_kind_policy(exhibit->row, os_current_node(), &exhibit->answer, &policy);
    trial.nodes = policy.mode < 0 ? topology_get()->with_memory : policy.nodes;
    if (!error)
        return trial_run(&trial);
    page_kind_check(exhibit->row, why, sizeof why);
    return result(exhibit->must_work ? BAD : NOT_HERE, "%s", special_refusal(why, true).text);
}

/* --- kinds that a program creates ------------------------------------------------------------- */

static int create_nodes(memkind_t *kind)
{
    char nodes[80];

    nodemask_format(&topology_get()->with_memory, nodes, sizeof nodes);
    return memkind_create_nodes(nodes, MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, kind);
}

static void *map(void *context, size_t size, size_t alignment)
{
    (void)context;
    return os_map(size, alignment);
}

static void unmap(void *context, void *address, size_t size)
{
    (void)context;
    os_unmap(address, size);
}

static int create_custom(memkind_t *kind)
{
    static const struct memkind_page_ops ops = {map, unmap, NULL};

    return memkind_create_custom(&ops, NULL, kind);
}

static int create_fixed(memkind_t *kind)
{
    void *area = mmap(NULL, OWN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return area == MAP_FAILED ? MEMKIND_ERROR_MMAP : memkind_create_fixed(area, OWN_SIZE, kind);
}

static int create_pmem(memkind_t *kind)
{
    const char *directory = getenv("TMPDIR");

    return memkind_create_pmem(directory && *directory ? directory : "/tmp", OWN_SIZE, kind);
}

static const struct creation {
    const char *name;
    int (*create)(memkind_t *kind);
    bool must_work;
} creations[] = {
    {"memkind_create_nodes", create_nodes, true},
    {"memkind_create_custom", create_custom, true},
    {"memkind_create_fixed", create_fixed, true},
    {"memkind_create_pmem", create_pmem, false}, /* the directory may be full or read-only */
};

static struct result visit_created(const struct creation *creation, struct exhibit *exhibit)
{
    char text[MEMKIND_ERROR_MESSAGE_SIZE];
    int error = creation->create(&exhibit->kind);

    *exhibit = (struct exhibit){.name = creation->name,
                                .kind = error ? NULL : exhibit->kind,
                                .row = &page_kind_custom,
                                .must_work = creation->must_work};
    if (error) {
        memkind_error_message(error, text, sizeof text);
        return result(creation->must_work ? BAD : NOT_HERE, "not created: %s", text);
    }
    exhibit->row = registry_row(exhibit->kind);
    return visit(exhibit);
}

/* --- the table -------------------------------------------------------------------------------- */

static void print_line(const struct exhibit *exhibit, const struct result *outcome)
{
    ssize_t capacity = memkind_get_capacity(exhibit->kind);
    struct text nodes = list_text(&exhibit->answer.nodes);

    if (!exhibit->answer.error && exhibit->row->policy == PAGE_POLICY_PROCESS)
        nodes = (struct text){"any"};
    printf("%-42s  %-5s  %-10s  %7s  %8s  %s%s\n", exhibit->name, nodes.text,
           page_kind_policy_name(exhibit->row),
           bytes_text(exhibit->row->page_size ? exhibit->row->page_size : os_page_size()).text,
           capacity < 0 ? "-" : bytes_text((uint64_t)capacity).text,
           outcome->verdict == BAD ? "WRONG: " : "", outcome->words);
}

/* What MEMKIND_HEAP_MANAGER asks for, if the library does not do that. */
static const char *manager_not_used(void)
{
    const char *wanted = getenv("MEMKIND_HEAP_MANAGER");

    return wanted && strcmp(wanted, managers_get()->name) != 0 ? wanted : NULL;
}

static void print_machine(unsigned here, const char *wanted)
{
    const struct topology *topology = topology_get();
    int version = memkind_get_version();

    printf("libmemkind %d.%d.%d, heap manager %s%s%s\n", version / 1000000, version / 1000 % 1000,
           version % 1000, managers_get()->name, wanted ? ", WRONG: MEMKIND_HEAP_MANAGER=" : "",
           wanted ? wanted : "");
    nodemask_for_each (node, &topology->online)
        printf("node %d: %s%s%s%s\n", node, bytes_text(topology->memory[node]).text,
               nodemask_has(&topology->with_cpu, (unsigned)node) ? ", has CPUs" : "",
               nodemask_has(&topology->with_memory, (unsigned)node) ? "" : ", not for this process",
               (unsigned)node == here ? ", this program runs here" : "");
    special_print(stdout);
}

static void count_line(const struct exhibit *exhibit, struct result outcome, size_t count[])
{
    print_line(exhibit, &outcome);
    count[outcome.verdict]++;
}

int main(void)
{
    size_t count[3] = {0};
    const char *wanted;

    if (memkind_check_available(MEMKIND_DEFAULT))
        puts("MEMKIND_DEFAULT is not available");
    facts_begin(FACTS_OUTSIDE); /* one machine, to the end */
    trial_stay_on_this_cpu();
    wanted = manager_not_used();
    print_machine(os_current_node(), wanted);
    printf("\n%-42s  %-5s  %-10s  %7s  %8s  %s\n", "kind", "nodes", "policy", "pages", "capacity",
           "check");
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++) {
        struct exhibit exhibit = {
            .name = page_kind_static[i].name,
            .kind = registry_static(i),
            .row = &page_kind_static[i],
            .must_work = i == MEMKIND_PARTITION_DEFAULT || i == MEMKIND_PARTITION_REGULAR ||
                         i == MEMKIND_PARTITION_INTERLEAVE,
        };
        struct result outcome = visit(&exhibit);

        count_line(&exhibit, outcome, count);
    }
    for (size_t i = 0; i < sizeof creations / sizeof creations[0]; i++) {
        struct exhibit exhibit = {0};
        struct result outcome = visit_created(&creations[i], &exhibit);

        count_line(&exhibit, outcome, count);
        if (exhibit.kind)
            memkind_destroy_kind(exhibit.kind);
    }
    printf("\n%zu kinds work, %zu are not available here, %zu are wrong\n", count[GOOD],
           count[NOT_HERE], count[BAD]);
    return count[BAD] || wanted ? EXIT_FAILURE : EXIT_SUCCESS;
}
