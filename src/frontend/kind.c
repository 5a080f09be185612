/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * kind: the functions of memkind.h that create, destroy and describe kinds, and the library-wide
 * ones. None of them is called often. Any thread, except destroying a kind in use.
 */
#include <limits.h>
#include <memkind.h>

#include "frontend/background.h"
#include "frontend/config.h"
#include "frontend/export.h"
#include "frontend/log.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/topology.h"
#include "kinds/pages/source_custom.h"
#include "kinds/pages/source_file.h"
#include "kinds/pages/source_fixed.h"
#include "kinds/pages/temp_file.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/stack.h"

EXPORT int memkind_get_version(void)
{
    return MEMKIND_VERSION_NUMBER;
}

/* --- create and destroy ----------------------------------------------------------------------- */

/* Called inside managers_enter(). */
static int create_entered(const struct page_setup *setup, memkind_t *kind)
{
    struct page_kind row = *setup->kind;
    char why[NODE_ANSWER_WHY];
    int error;

    if (managers_arenas_rejected())
        return MEMKIND_ERROR_ENVIRON;
    row.given = setup->nodes;
    error = page_kind_check(&row, why, sizeof why);
    /* Huge pages may be reserved later: until then the kind has no memory, which is no error. */
    if (error && error != MEMKIND_ERROR_HUGETLB) {
        log_debug("kind %s is not created: %s", row.name, why);
        return error;
    }
    return registry_create(setup, kind);
}

struct creation {
    const struct page_setup *setup;
    const char *nodes; /* as text; NULL: setup knows */
    memkind_t *kind;
    int error;
};

static int create_on_nodes(const struct creation *creation)
{
    struct page_setup setup = *creation->setup;
    const struct topology *topology = topology_get();
    struct nodemask mask;
    char accepted[96];
    int error;

    setup.nodes = &mask;
    error = selector_parse(creation->nodes, &mask);
    if (!error)
        return create_entered(&setup, creation->kind);
    nodemask_format(error == MEMKIND_ERROR_INVALID ? &topology->online : &topology->with_memory,
                    accepted, sizeof accepted);
    log_debug("kind %s is not created: nodes \"%.100s\" %s: %s", setup.kind->name, creation->nodes,
              error == MEMKIND_ERROR_INVALID ? "are not a list of existing nodes, which are"
                                             : "have no memory for this process; those that have",
              accepted);
    return error;
}

static void create_on_stack(void *argument)
{
    struct creation *creation = argument;

    facts_begin(FACTS_OUTSIDE);
    creation->error = creation->nodes ? create_on_nodes(creation)
                                      : create_entered(creation->setup, creation->kind);
    facts_end(FACTS_OUTSIDE);
}

static int create(const struct page_setup *setup, const char *nodes, memkind_t *kind)
{
    struct creation creation = {.setup = setup, .nodes = nodes, .kind = kind};

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    stack_run(create_on_stack, &creation);
    managers_leave();
    return creation.error;
}

/* --- what memkind_create_kind() gives: a static kind ------------------------------------------ */

struct choice {
    int partition; /* wanted, then found */
    bool fall_back;
    int error;
};

static void choose(struct choice *choice)
{
    const struct page_kind *row = &page_kind_static[choice->partition];
    char why[NODE_ANSWER_WHY];

    choice->error =
        managers_arenas_rejected() ? MEMKIND_ERROR_ENVIRON : page_kind_check(row, why, sizeof why);
    if (choice->error == MEMKIND_ERROR_HUGETLB) /* which 1.14 does not tell from missing nodes */
        choice->error = MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    if (choice->error != MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE)
        return;
    log_debug("%s is unavailable: %s", row->name, why);
    if (!choice->fall_back)
        return;
    choice->partition = MEMKIND_PARTITION_DEFAULT;
    choice->error = 0;
}

static void choose_on_stack(void *argument)
{
    facts_begin(FACTS_OUTSIDE);
    choose(argument);
    facts_end(FACTS_OUTSIDE);
}

EXPORT int memkind_create_kind(memkind_memtype_t memtype_flags, memkind_policy_t policy,
                               memkind_bits_t flags, memkind_t *kind)
{
    struct choice choice = {.partition = page_kind_created(memtype_flags, policy, flags),
                            .fall_back = policy == MEMKIND_POLICY_PREFERRED_LOCAL};

    if (choice.partition < 0 || !kind)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    stack_run(choose_on_stack, &choice);
    managers_leave();
    if (!choice.error)
        *kind = registry_static(choice.partition);
    return choice.error;
}

EXPORT int memkind_create_nodes(const char *nodes, memkind_policy_t policy, memkind_bits_t flags,
                                memkind_t *kind)
{
    const unsigned no_core_dump = MEMKIND_MASK_NO_CORE_DUMP;
    const struct page_kind *row =
        page_kind_of_nodes(policy, (memkind_bits_t)((unsigned)flags & ~no_core_dump));
    struct page_setup setup;

    if (!row || !nodes || !kind)
        return MEMKIND_ERROR_INVALID;
    setup = pool_setup(row);
    setup.no_core_dump = (unsigned)flags & no_core_dump;
    return create(&setup, nodes, kind);
}

EXPORT int memkind_create_custom(const struct memkind_page_ops *ops, void *context, memkind_t *kind)
{
    const struct source_custom_request request = {.ops = ops, .context = context};
    const struct page_setup setup = {
        .kind = &page_kind_custom, .source = &page_source_custom, .request = &request};

    if (!ops || !ops->map || !ops->unmap || !kind)
        return MEMKIND_ERROR_INVALID;
    return create(&setup, NULL, kind);
}

EXPORT int memkind_create_pmem(const char *dir, size_t max_size, memkind_t *kind)
{
    struct memkind_config config = {
        .directory = dir, .limit = max_size, .policy = MEMKIND_MEM_USAGE_POLICY_DEFAULT};

    return memkind_create_pmem_with_config(&config, kind);
}

EXPORT int memkind_create_pmem_with_config(struct memkind_config *cfg, memkind_t *kind)
{
    struct source_file_request request;
    struct page_setup setup = {
        .kind = &page_kind_file, .source = &page_source_file, .request = &request};

    if (!cfg || !cfg->directory || !kind ||
        (unsigned)cfg->policy >= MEMKIND_MEM_USAGE_POLICY_MAX_VALUE)
        return MEMKIND_ERROR_INVALID;
    request = (struct source_file_request){.directory = cfg->directory, .limit = cfg->limit};
    setup.no_core_dump = cfg->no_core_dump;
    setup.conservative = cfg->policy == MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE;
    return create(&setup, NULL, kind);
}

EXPORT int memkind_create_fixed(void *addr, size_t size, memkind_t *kind)
{
    const struct source_fixed_request request = {.address = addr, .size = size};
    const struct page_setup setup = {
        .kind = &page_kind_fixed, .source = &page_source_fixed, .request = &request};

    return addr && kind ? create(&setup, NULL, kind) : MEMKIND_ERROR_INVALID;
}

EXPORT int memkind_destroy_kind(memkind_t kind)
{
    struct guard guard;
    int error;

    if (callout_is_on())
        return MEMKIND_ERROR_OPERATION_FAILED;
    guard_enter(&guard);
    error = registry_destroy(kind);
    guard_leave(&guard);
    return error;
}

EXPORT int memkind_get_kind_by_partition(int partition, memkind_t *kind)
{
    if (!kind)
        return MEMKIND_ERROR_INVALID;
    if (partition < 0 || partition >= MEMKIND_NUM_BASE_KIND)
        return MEMKIND_ERROR_UNAVAILABLE;
    *kind = registry_static(partition);
    return MEMKIND_SUCCESS;
}

/* --- questions -------------------------------------------------------------------------------- */

struct question {
    const struct page_kind *row;
    const struct page_pool *pool; /* NULL: the kind has none yet */
    int error;
    ssize_t capacity;
};

static void check_on_stack(void *argument)
{
    struct question *question = argument;
    char why[NODE_ANSWER_WHY];

    facts_begin(FACTS_OUTSIDE);
    question->error = page_kind_check(question->row, why, sizeof why);
    facts_end(FACTS_OUTSIDE);
    if (question->error)
        log_debug("%s is unavailable: %s", question->row->name, why);
}

EXPORT int memkind_check_available(memkind_t kind)
{
    struct question question = {.row = registry_row(kind)};

    if (!question.row)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    stack_run(check_on_stack, &question);
    managers_leave();
    return question.error;
}

static void capacity_on_stack(void *argument)
{
    struct question *question = argument;

    facts_begin(FACTS_OUTSIDE);
    question->capacity =
        question->pool ? pool_capacity(question->pool) : page_kind_capacity(question->row);
    facts_end(FACTS_OUTSIDE);
}

EXPORT ssize_t memkind_get_capacity(memkind_t kind)
{
    struct question question = {.row = registry_row(kind)};

    if (!question.row || !managers_enter())
        return -1;
    if (registry_is_ready(kind))
        question.pool = &kind->heap.pages;
    stack_run(capacity_on_stack, &question);
    managers_leave();
    return question.capacity;
}

EXPORT int memkind_set_limit(memkind_t kind, size_t limit)
{
    int error;

    if (!registry_row(kind) || limit > SSIZE_MAX)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = registry_prepare(kind);
    if (!error)
        pool_set_limit(&kind->heap.pages, limit);
    managers_leave();
    return error;
}

EXPORT int memkind_refresh(void)
{
    int error;

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = facts_refresh();
    managers_leave();
    return error;
}

EXPORT int memkind_check_dax_path(const char *pmem_dir)
{
    int error;

    if (!pmem_dir)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = temp_file_check_dax(pmem_dir);
    managers_leave();
    return error;
}

/* --- statistics and the background thread ----------------------------------------------------- */

EXPORT int memkind_update_cached_stats(void)
{
    int error;

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = managers_get()->update_stats();
    managers_leave();
    return error;
}

EXPORT int memkind_get_stat(memkind_t kind, memkind_stat_type stat, size_t *value)
{
    int error;

    if (!value || (unsigned)stat >= MEMKIND_STAT_TYPE_MAX_VALUE || (kind && !registry_row(kind)))
        return MEMKIND_ERROR_INVALID;
    if (kind && !registry_is_ready(kind)) {
        *value = 0; /* a kind that was never used holds nothing */
        return MEMKIND_SUCCESS;
    }
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = managers_get()->stat(kind ? &kind->heap : NULL, stat, value);
    managers_leave();
    return error;
}

static void write_to_stderr(void *opaque, const char *text)
{
    (void)opaque;
    log_text(text);
}

struct print {
    void (*write)(void *opaque, const char *text);
    void *opaque;
    memkind_stat_print_opt options;
    int error;
};

static void print_on_stack(void *argument)
{
    struct print *print = argument;

    print->error = managers_get()->stats_print(print->write, print->opaque, print->options);
}

EXPORT int memkind_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
                               memkind_stat_print_opt opts)
{
    const unsigned known =
        MEMKIND_STAT_PRINT_JSON_FORMAT | MEMKIND_STAT_PRINT_OMIT_GENERAL |
        MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA | MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA |
        MEMKIND_STAT_PRINT_OMIT_PER_ARENA | MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS |
        MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE | MEMKIND_STAT_PRINT_OMIT_MUTEX |
        MEMKIND_STAT_PRINT_OMIT_EXTENT;
    struct print print = {write_cb ? write_cb : write_to_stderr, cbopaque, opts, 0};
    struct guard guard;

    if ((unsigned)opts & ~known)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    managers_leave(); /* write_cb is the program's own and may call the library again */
    guard_enter(&guard);
    stack_run(print_on_stack, &print);
    guard_leave(&guard);
    return print.error;
}

EXPORT ssize_t memkind_trim(memkind_t kind)
{
    ssize_t bytes;

    if ((kind && !registry_row(kind)) || !managers_enter())
        return -1;
    bytes = kind && !registry_is_ready(kind) ? 0 /* a kind that was never used holds nothing */
                                             : managers_get()->trim(kind ? &kind->heap : NULL);
    managers_leave();
    return bytes;
}

EXPORT int memkind_set_bg_threads(bool state)
{
    int error;

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = background_set(state, managers_get()->give_back);
    managers_leave();
    return error;
}
