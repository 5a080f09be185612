/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-tour: every static kind of this machine, and one of each sort that a program can create,
 * described and tried.
 *
 * The table is the same under every heap manager. It says what the library believes of each kind:
 * nodes, policy, page size, capacity, or why it is not available. Only the inside of the library
 * knows all that, hence the static library. The last column says what the kernel knows of a block
 * of the kind once it is touched: is each page on a node of the kind, and of its page size? Exit
 * status 0: everything that should work here does.
 *
 * Each kind is tried in a process of its own, a created one thus in a forked child. So a crash is a
 * line of the table, and scarce memory, huge pages above all, is back before the next kind needs
 * it.
 */
#define _GNU_SOURCE /* sched.h: CPU_ALLOC, sched_getcpu */
#include <memkind.h>

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../examples/placement.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/hugepages.h"
#include "kinds/nodemask.h"
#include "kinds/os.h"
#include "kinds/page_kind.h"
#include "kinds/topology.h"

#define MIB ((size_t)1 << 20)
#define BLOCK_SIZE MIB
#define HUGE_ENOUGH (8 * MIB)
#define OWN_SIZE (64 * MIB) /* of the fixed kind's area, and of the file */
#define WORDS_SIZE 200

/* One line of the table. */
struct exhibit {
    const char *name;
    memkind_t kind;
    const struct page_kind *row;
    bool must_work; /* on every machine */
    struct node_answer answer;
    struct nodemask nodes; /* where pages may be */
};

enum verdict { GOOD, BAD, NOT_HERE };

/* What came out, and the words for it. */
struct result {
    enum verdict verdict;
    char words[WORDS_SIZE];
};

static struct result result(enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct result result(enum verdict verdict, const char *format, ...)
{
    struct result made = {.verdict = verdict};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(made.words, sizeof made.words, format, arguments);
    va_end(arguments);
    return made;
}

/* --- numbers and sets in words ---------------------------------------------------------------- */

struct text {
    char text[80];
};

static struct text bytes_text(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    struct text made;
    size_t unit = 0;

    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    snprintf(made.text, sizeof made.text, "%.*f %s", value < 10 && value > (int)value, value,
             units[unit]);
    return made;
}

/* "0,2-3" */
static struct text list_text(const struct nodemask *nodes)
{
    struct text made;

    nodemask_format(nodes, made.text, sizeof made.text);
    return made;
}

/* "node 0", "nodes 0,2-3" */
static struct text nodes_text(const struct nodemask *nodes)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "node%s %.70s", nodemask_count(nodes) == 1 ? "" : "s",
             list_text(nodes).text);
    return made;
}

/* --- what the kernel says of a block ---------------------------------------------------------- */

static size_t page_size(const struct exhibit *exhibit)
{
    return exhibit->row->page_size ? exhibit->row->page_size : os_page_size();
}

/* MemFree of a node is below a sixteenth of MemTotal: the kernel's reserves are near. */
static bool node_is_full(int node)
{
    char path[64], text[4096];
    const char *line;

    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/meminfo", node);
    if (os_read_file(path, text, sizeof text) < 0 || !(line = strstr(text, "MemFree:")))
        return false;
    return strtoull(line + strlen("MemFree:"), NULL, 10) * 1024 < topology_get()->memory[node] / 16;
}

/* A preference and an interleaving may end on other nodes, if one of theirs is full. */
static bool may_overflow(const struct exhibit *exhibit)
{
    struct hugepages_pool pool;

    if (exhibit->row->policy != PAGE_POLICY_PREFERRED &&
        exhibit->row->policy != PAGE_POLICY_INTERLEAVE)
        return false;
    if (exhibit->row->page_size) {
        hugepages_read(&exhibit->nodes, exhibit->row->page_size, &pool);
        return pool.free == 0;
    }
    nodemask_for_each (node, &exhibit->nodes)
        if (node_is_full(node))
            return true;
    return false;
}

static struct result judge(const struct exhibit *exhibit, const struct placement *placement)
{
    struct nodemask used = {{0}};
    size_t elsewhere = 0;

    for (size_t i = 0; i < placement->count; i++) {
        const struct placement_page *page = &placement->pages[i];

        if (page->size != page_size(exhibit))
            return result(BAD, "a page of %s", bytes_text(page->size).text);
        if (page->node < 0 && exhibit->row == &page_kind_file)
            continue; /* DAX: a page of the device */
        if (page->node < 0)
            return result(BAD, "a page has no node: %s", strerror(-page->node));
        nodemask_add(&used, (unsigned)page->node);
        elsewhere += !nodemask_has(&exhibit->nodes, (unsigned)page->node);
    }
    if (elsewhere && !may_overflow(exhibit))
        return result(BAD, "%zu of %zu pages elsewhere, used: %s", elsewhere, placement->count,
                      nodes_text(&used).text);
    if (elsewhere)
        return result(GOOD, "ok, %zu of %zu pages elsewhere: its nodes are full", elsewhere,
                      placement->count);
    if (exhibit->row->policy == PAGE_POLICY_INTERLEAVE && !nodemask_equal(&used, &exhibit->nodes) &&
        !may_overflow(exhibit))
        return result(BAD, "interleaved over %s only", nodes_text(&used).text);
    return result(GOOD, "ok, %zu page%s on %s", placement->count, placement->count == 1 ? "" : "s",
                  nodemask_count(&used) ? nodes_text(&used).text : "a device");
}

/* --- trying a kind ---------------------------------------------------------------------------- */

/* Whether the pool of huge pages has what any heap manager may take for one block. */
static bool few_huge_pages(const struct exhibit *exhibit, struct hugepages_pool *pool)
{
    if (!exhibit->row->page_size)
        return false;
    hugepages_read(&exhibit->nodes, exhibit->row->page_size, pool);
    return pool->free * exhibit->row->page_size < HUGE_ENOUGH;
}

static struct result try_block(const struct exhibit *exhibit)
{
    /* Aligned, so that the number of pages does not depend on what the heap manager puts before it.
     */
    size_t alignment = page_size(exhibit) < BLOCK_SIZE ? page_size(exhibit) : BLOCK_SIZE;
    struct placement placement = {0};
    struct hugepages_pool pool;
    struct result outcome;
    void *block;
    int error;

    if (few_huge_pages(exhibit, &pool))
        return result(NOT_HERE, "not tried: %zu of %zu pages are free", pool.free, pool.total);
    error = memkind_posix_memalign(exhibit->kind, &block, alignment, BLOCK_SIZE);
    if (error && few_huge_pages(exhibit, &pool)) /* somebody was quicker */
        return result(NOT_HERE, "too late: %zu of %zu pages are free", pool.free, pool.total);
    if (error)
        return result(BAD, "allocation failed: %s", strerror(error));
    memset(block, 0xa5, BLOCK_SIZE);
    placement_add(&placement, block, BLOCK_SIZE);
    error = placement_ask(&placement);
    if (error)
        outcome = result(BAD, "the kernel does not say where it is: %s", strerror(error));
    else if (memkind_detect_kind(block) != exhibit->kind)
        outcome = result(BAD, "the block is not known as one of this kind");
    else
        outcome = judge(exhibit, &placement);
    placement_release(&placement);
    memkind_free(exhibit->kind, block);
    return outcome;
}

/* In a child process, which sends its result through a pipe. */
static struct result try_kind(const struct exhibit *exhibit)
{
    struct result outcome = {0};
    ssize_t received;
    int ends[2], status;
    pid_t child;

    if (pipe(ends))
        return result(BAD, "no pipe: %s", strerror(errno));
    fflush(stdout);
    child = fork();
    if (child < 0)
        return result(BAD, "no child process: %s", strerror(errno));
    if (child == 0) {
        outcome = try_block(exhibit);
        _exit(write(ends[1], &outcome, sizeof outcome) != sizeof outcome);
    }
    close(ends[1]);
    received = read(ends[0], &outcome, sizeof outcome);
    close(ends[0]);
    if (waitpid(child, &status, 0) != child)
        return result(BAD, "the child process is lost: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return result(BAD, "killed by signal %d (%s)", WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) || received != sizeof outcome)
        return result(BAD, "no result, exit status %d", WEXITSTATUS(status));
    return outcome;
}

static struct result visit(struct exhibit *exhibit)
{
    char why[sizeof exhibit->answer.why];
    struct os_policy policy;
    int error = memkind_check_available(exhibit->kind);

    page_kind_policy(exhibit->row, os_current_node(), &exhibit->answer, &policy);
    exhibit->nodes = policy.mode < 0 ? topology_get()->with_memory : policy.nodes;
    if (!error)
        return try_kind(exhibit);
    page_kind_check(exhibit->row, why, sizeof why);
    return result(exhibit->must_work ? BAD : NOT_HERE, "not available: %s", why);
}

/* --- kinds that a program creates --------------------------------------------------------------
 */

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
           page_kind_policy_name(exhibit->row), bytes_text(page_size(exhibit)).text,
           capacity < 0 ? "-" : bytes_text((uint64_t)capacity).text,
           outcome->verdict == BAD ? "WRONG: " : "", outcome->words);
}

/* What MEMKIND_HEAP_MANAGER asks for, if the library does not do that. */
static const char *manager_missed(void)
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
}

/* "Nearest" must mean the same for the table and for the trial. Best effort. */
static void stay_on_this_cpu(void)
{
    int cpu = sched_getcpu();
    cpu_set_t *set = cpu < 0 ? NULL : CPU_ALLOC((size_t)cpu + 1);
    size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);

    if (!set)
        return;
    CPU_ZERO_S(size, set);
    CPU_SET_S((size_t)cpu, size, set);
    sched_setaffinity(0, size, set);
    CPU_FREE(set);
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
    stay_on_this_cpu();
    wanted = manager_missed();
    print_machine(os_current_node(), wanted);
    printf("\n%-42s  %-5s  %-10s  %7s  %8s  %s\n", "kind", "nodes", "policy", "pages", "capacity",
           "check");
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++) {
        struct exhibit exhibit = {
            .name = page_kind_static[i].name,
            .kind = MEMKIND_DEFAULT + i,
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
