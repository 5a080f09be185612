/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see trial.h. */
#define _GNU_SOURCE /* sched.h: sched_getcpu */
#include "trial.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench/stream.h"
#include "../examples/placement.h"
#include "kinds/machine/hugepages.h"
#include "kinds/machine/report.h"
#include "words.h"

#define LARGEST_ALIGNMENT ((size_t)1 << 20)

struct result result(enum verdict verdict, const char *format, ...)
{
    struct result made = {.verdict = verdict};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(made.words, sizeof made.words, format, arguments);
    va_end(arguments);
    return made;
}

/* --- what the kernel says of a block ---------------------------------------------------------- */

static size_t page_size(const struct trial *trial)
{
    return trial->row->page_size ? trial->row->page_size : os_page_size();
}

/* With less than a sixteenth free, the kernel may be at its reserves. */
static bool node_is_full(unsigned number)
{
    struct node_report node;

    return report_node(number, &node) && node.unused < node.size / 16;
}

/* A preference and an interleaving may end on other nodes, if one of theirs is full. */
static bool may_overflow(const struct trial *trial)
{
    struct hugepages_pool pool;

    if (trial->row->policy != PAGE_POLICY_PREFERRED && trial->row->policy != PAGE_POLICY_INTERLEAVE)
        return false;
    if (trial->row->page_size) {
        hugepages_read(&trial->nodes, trial->row->page_size, &pool);
        return pool.free == 0;
    }
    nodemask_for_each (node, &trial->nodes)
        if (node_is_full((unsigned)node))
            return true;
    return false;
}

static struct result judge(const struct trial *trial, const struct placement *placement)
{
    struct nodemask used = {{0}};
    size_t elsewhere = 0;

    for (size_t i = 0; i < placement->count; i++) {
        const struct placement_page *page = &placement->pages[i];

        if (page->size != page_size(trial))
            return result(BAD, "a page of %s", bytes_text(page->size).text);
        if (page->node < 0 && trial->row == &page_kind_file)
            continue; /* DAX: a page of the device */
        if (page->node < 0)
            return result(BAD, "a page has no node: %s", strerror(-page->node));
        nodemask_add(&used, (unsigned)page->node);
        elsewhere += !nodemask_has(&trial->nodes, (unsigned)page->node);
    }
    if (elsewhere && !may_overflow(trial))
        return result(BAD, "%zu of %zu pages elsewhere, used: %s", elsewhere, placement->count,
                      nodes_text(&used).text);
    if (elsewhere)
        return result(GOOD, "ok, %zu of %zu pages elsewhere: its nodes are full", elsewhere,
                      placement->count);
    if (trial->row->policy == PAGE_POLICY_INTERLEAVE && !nodemask_equal(&used, &trial->nodes) &&
        placement->count >= nodemask_count(&trial->nodes) && !may_overflow(trial))
        return result(BAD, "interleaved over %s only", nodes_text(&used).text);
    return result(GOOD, "ok, %zu page%s on %s", placement->count, placement->count == 1 ? "" : "s",
                  nodemask_count(&used) ? nodes_text(&used).text : "a device");
}

/* --- the block -------------------------------------------------------------------------------- */

/* Whether the pool of huge pages has less than is wanted of it before one block is tried. */
static bool few_huge_pages(const struct trial *trial, struct hugepages_pool *pool)
{
    if (!trial->row->page_size || !trial->huge_enough)
        return false;
    hugepages_read(&trial->nodes, trial->row->page_size, pool);
    return pool->free * trial->row->page_size < trial->huge_enough;
}

/* The number of pages must not depend on what the heap manager puts before the block. */
static size_t alignment(const struct trial *trial)
{
    size_t made = sizeof(void *);

    while (2 * made <= trial->size && 2 * made <= page_size(trial) && 2 * made <= LARGEST_ALIGNMENT)
        made *= 2;
    return made;
}

static struct result try_block(const struct trial *trial)
{
    struct placement placement = {0};
    struct hugepages_pool pool;
    struct result outcome;
    void *block;
    int error;

    if (few_huge_pages(trial, &pool))
        return result(NOT_HERE, "not tried: %zu of %zu pages are free", pool.free, pool.total);
    error = memkind_posix_memalign(trial->kind, &block, alignment(trial), trial->size);
    if (error && few_huge_pages(trial, &pool)) /* another process took them meanwhile */
        return result(NOT_HERE, "too late: %zu of %zu pages are free", pool.free, pool.total);
    if (error)
        return result(BAD, "allocation failed: %s", strerror(error));
    memset(block, 0xa5, trial->size);
    placement_add(&placement, block, trial->size);
    error = placement_ask(&placement);
    if (error)
        outcome = result(BAD, "the kernel does not say where it is: %s", strerror(error));
    else if (memkind_detect_kind(block) != trial->kind)
        outcome = result(BAD, "the block is not known as one of this kind");
    else
        outcome = judge(trial, &placement);
    placement_release(&placement);
    memkind_free(trial->kind, block);
    return outcome;
}

/* The child sends its result through a pipe. */
struct result trial_run(const struct trial *trial)
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
        outcome = try_block(trial);
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

void trial_stay_on_this_cpu(void)
{
    int cpu = sched_getcpu();

    if (cpu >= 0)
        stream_pin((unsigned)cpu);
}
