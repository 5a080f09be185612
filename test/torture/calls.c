/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * calls: operations on kinds that come and go, on statistics, and on what stands on memkind.h:
 * hbwmalloc.h and memkind_memtier.h.
 */
#include "torture.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- kinds that come and go ------------------------------------------------------------------- */

#define LIMIT (32 * MIB)

static const struct recipe guests[] = {
    {.name = "pmem", .sort = RECIPE_PMEM, .limit = LIMIT},
    {.name = "pmem conservative", .sort = RECIPE_PMEM, .limit = LIMIT, .conservative = true},
    {.name = "fixed", .sort = RECIPE_FIXED, .limit = LIMIT, .area = AREA_ANONYMOUS},
    {.name = "fixed odd", .sort = RECIPE_FIXED, .limit = LIMIT, .area = AREA_ODD},
    {.name = "custom", .sort = RECIPE_CUSTOM, .limit = LIMIT, .purge = true},
    {.name = "custom without purge", .sort = RECIPE_CUSTOM, .limit = LIMIT},
    {.name = "nodes interleaved", .sort = RECIPE_NODES, .policy = MEMKIND_POLICY_INTERLEAVE_ALL},
    {.name = "nodes bound", .sort = RECIPE_NODES, .policy = MEMKIND_POLICY_BIND_ALL},
    {.name = "nodes preferred", .sort = RECIPE_NODES, .policy = MEMKIND_POLICY_PREFERRED_LOCAL},
    {.name = "nodes huge",
     .sort = RECIPE_NODES,
     .policy = MEMKIND_POLICY_BIND_ALL,
     .flags = MEMKIND_MASK_PAGE_SIZE_2MB,
     .page_size = 2 * MIB},
};

const struct recipe *guest_recipe(uint64_t number)
{
    return &guests[number % LENGTH(guests)];
}

static bool is_file(const struct recipe *recipe)
{
    return recipe->sort == RECIPE_PMEM;
}

bool subject_make(struct subject *subject, const struct recipe *recipe)
{
    unsigned long mark = weather_mark();
    int code;

    memset(subject, 0, sizeof *subject);
    code = recipe_make(recipe, &subject->made);
    if (code) {
        MUST(weather_allows(mark, is_file(recipe)), "create: kind %s, code %d", recipe->name, code);
        return false;
    }
    subject->may_fail = recipe->page_size != 0;
    subject->alive = true;
    return true;
}

/* Where there is no memory for the thread's own data, a kind may have to be destroyed later. */
bool subject_destroy(const struct worker *worker, const struct subject *subject)
{
    for (int i = 0; i < 2000; i++) {
        unsigned long mark = weather_mark();
        int code = memkind_destroy_kind(subject->made.kind);

        if (code == MEMKIND_SUCCESS)
            return true;
        MUST(code == MEMKIND_ERROR_MALLOC && weather_allows(mark, true),
             "destroy: kind %s, code %d", subject_name(subject), code);
        if (worker->in_child)
            return false; /* whose weather stays as it is */
        weather_wait();
    }
    fail("destroy: kind %s, no memory in good weather", subject_name(subject));
}

void subject_end(struct worker *worker, struct subject *subject)
{
    const char *name = subject_name(subject), *problem;

    for (size_t i = 0; i < PLACES; i++)
        if (worker->places[i].at && worker->places[i].subject == subject)
            block_leaves(&worker->places[i]);
    subject->alive = false;
    if (!subject_destroy(worker, subject))
        return;
    problem = recipe_is_wrong(&subject->made);
    MUST(!problem, "destroy: kind %s: %s", name, problem);
    recipe_release(&subject->made);
}

/* A limit from the start, and blocks until there are no more. */
static void use_up(struct worker *worker, struct subject *subject)
{
    enum { MOST = 64 };
    size_t limit = 1 + draw(worker, 8 * MIB), bytes = 0;
    unsigned long mark = weather_mark();
    int code = memkind_set_limit(subject->made.kind, limit);
    void *blocks[MOST];
    unsigned had = 0;

    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, true), "limit: a new kind %s, code %d",
         subject_name(subject), code);
    if (code != MEMKIND_SUCCESS)
        return;
    subject->may_refuse = true;
    subject->most = limit;
    for (; had < MOST; had++) {
        blocks[had] = memkind_malloc(subject->made.kind, 1 + draw(worker, 512 * KIB));
        if (!blocks[had])
            break;
        bytes += memkind_malloc_usable_size(NULL, blocks[had]);
        MUST(bytes <= limit, "limit: %zu bytes of kind %s, at most %zu", bytes,
             subject_name(subject), limit);
    }
    while (had)
        memkind_free(subject->made.kind, blocks[--had]);
}

void call_create(struct worker *worker)
{
    struct subject *subject = &worker->guests[draw(worker, GUESTS)];
    const struct recipe *recipe = guest_recipe(draw(worker, LENGTH(guests)));
    bool limited = draw(worker, 3) == 0;

    if (!subject->alive && subject_make(subject, recipe) && limited)
        use_up(worker, subject);
}

void call_destroy(struct worker *worker)
{
    struct subject *subject = &worker->guests[draw(worker, GUESTS)];

    if (subject->alive)
        subject_end(worker, subject);
}

static void *no_map(void *context, size_t size, size_t alignment)
{
    (void)context, (void)size, (void)alignment;
    return NULL;
}

static void no_unmap(void *context, void *address, size_t size)
{
    (void)context, (void)address, (void)size;
    fail("unmap of a region that never was");
}

/* Refused for what is wrong; in bad weather, for want of memory perhaps. */
static void must_be_wrong(int code, unsigned long mark, const char *what)
{
    MUST(code == MEMKIND_ERROR_INVALID || (code && weather_allows(mark, true)),
         "create: wrong arguments of a %s kind, code %d", what, code);
}

void call_create_wrong(struct worker *worker)
{
    const struct memkind_page_ops ops = {no_map, no_unmap, NULL}, none = {NULL, no_unmap, NULL};
    unsigned long mark = weather_mark();
    memkind_t kind = NULL;
    int code, error;

    must_be_wrong(memkind_create_pmem("/proc", 0, &kind), mark, "pmem");
    must_be_wrong(memkind_create_pmem(recipe_directory(), MIB, &kind), mark, "pmem");
    must_be_wrong(memkind_create_pmem(NULL, 0, &kind), mark, "pmem");
    must_be_wrong(memkind_create_fixed((void *)guests, 17 * MIB, &kind), mark, "fixed");
    must_be_wrong(memkind_create_fixed(NULL, 17 * MIB, &kind), mark, "fixed");
    must_be_wrong(memkind_create_fixed((void *)-4096, 17 * MIB, &kind), mark, "fixed");
    must_be_wrong(memkind_create_custom(&none, NULL, &kind), mark, "custom");
    must_be_wrong(memkind_create_custom(NULL, NULL, &kind), mark, "custom");
    must_be_wrong(memkind_create_nodes("0-", MEMKIND_POLICY_BIND_ALL, 0, &kind), mark, "nodes");
    must_be_wrong(memkind_create_nodes("", MEMKIND_POLICY_BIND_ALL, 0, &kind), mark, "nodes");
    must_be_wrong(memkind_create_nodes("0", MEMKIND_POLICY_MAX_VALUE, 0, &kind), mark, "nodes");
    MUST(!kind, "create: a kind of wrong arguments");
    code = memkind_create_custom(&ops, NULL, &kind);
    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, false), "create: empty kind, code %d",
         code);
    if (code != MEMKIND_SUCCESS)
        return;
    errno = 0;
    MUST(!memkind_malloc(kind, draw_size(worker)) && errno == ENOMEM, "create: a block of nothing");
    error = memkind_destroy_kind(kind);
    MUST(error == MEMKIND_SUCCESS || weather_allows(mark, false), "destroy: code %d", error);
}

/* Static kinds stay, also by the name that memkind_create_kind() gives them. */
void call_destroy_wrong(struct worker *worker)
{
    unsigned long mark = weather_mark();
    memkind_t kind = NULL;
    int code = memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                   (memkind_bits_t)0, &kind);

    (void)worker;
    MUST(code ? weather_allows(mark, false) : kind == MEMKIND_DEFAULT, "create: code %d", code);
    MUST(memkind_destroy_kind(NULL) == MEMKIND_ERROR_INVALID, "destroy: no kind");
    MUST(memkind_destroy_kind(MEMKIND_DEFAULT) == MEMKIND_SUCCESS || weather_allows(mark, false),
         "destroy: a static kind");
}

/* --- questions -------------------------------------------------------------------------------- */

void call_statistics(struct worker *worker)
{
    memkind_t kind = draw(worker, 4) ? draw_subject(worker)->made.kind : NULL;
    unsigned long mark = weather_mark();
    int code = memkind_update_cached_stats();

    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, false), "statistics: code %d", code);
    for (int stat = 0; stat < MEMKIND_STAT_TYPE_MAX_VALUE; stat++) {
        size_t value = SIZE_MAX;

        code = memkind_get_stat(kind, (memkind_stat_type)stat, &value);
        MUST(code == MEMKIND_SUCCESS || weather_allows(mark, false),
             "statistics: figure %d, code %d", stat, code);
        MUST(code || value < (size_t)1 << 40, "statistics: figure %d is %zu", stat, value);
    }
    MUST(memkind_get_stat(kind, MEMKIND_STAT_TYPE_MAX_VALUE, &(size_t){0}) ==
                 MEMKIND_ERROR_INVALID &&
             memkind_get_stat(kind, MEMKIND_STAT_TYPE_ACTIVE, NULL) == MEMKIND_ERROR_INVALID,
         "statistics: a wrong argument is accepted");
}

/* --- memory that goes back, or may not be had ------------------------------------------------- */

void call_trim(struct worker *worker)
{
    memkind_t kind = draw(worker, 4) ? draw_subject(worker)->made.kind : NULL;
    unsigned long mark = weather_mark();
    ssize_t bytes = memkind_trim(kind);

    MUST(bytes >= 0 || weather_allows(mark, true), "trim: %zd", bytes);
}

void call_refresh(struct worker *worker)
{
    unsigned long mark = weather_mark();
    int code = memkind_refresh();

    (void)worker;
    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, true), "refresh: code %d", code);
}

/* A kind keeps what it has when it gets a limit, so how much its blocks may be is known of those
 * that had a limit from the start. A kind of all threads gets one that is not reached. */
void call_limit(struct worker *worker)
{
    struct subject *subject = draw_subject(worker);
    bool own = subject >= worker->guests && subject < worker->guests + GUESTS;
    size_t limit = draw(worker, 3) ? 0 : own ? draw(worker, 48 * MIB) : (size_t)1 << 40;
    unsigned long mark = weather_mark();
    int code = memkind_set_limit(subject->made.kind, limit);

    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, true) ||
             code == memkind_check_available(subject->made.kind),
         "limit: %zu bytes of kind %s, code %d", limit, subject_name(subject), code);
    if (own && code == MEMKIND_SUCCESS) {
        subject->may_refuse |= limit != 0;
        subject->most = 0;
    }
    MUST(memkind_set_limit(NULL, limit) == MEMKIND_ERROR_INVALID &&
             memkind_set_limit(subject->made.kind, SIZE_MAX - 1) == MEMKIND_ERROR_INVALID,
         "limit: a wrong argument is accepted");
}

static void count_text(void *context, const char *text)
{
    *(size_t *)context += strlen(text);
}

void call_print(struct worker *worker)
{
    unsigned options = (unsigned)draw(worker, 512) | MEMKIND_STAT_PRINT_OMIT_PER_ARENA;
    unsigned long mark = weather_mark();
    size_t length = 0;
    int code = memkind_stats_print(count_text, &length, (memkind_stat_print_opt)options);

    MUST((code == MEMKIND_SUCCESS && length > 0) || weather_allows(mark, false) || the_round.is_tbb,
         "statistics: print, code %d, %zu bytes", code, length);
    MUST(memkind_stats_print(count_text, &length, (memkind_stat_print_opt)512) ==
             MEMKIND_ERROR_INVALID,
         "statistics: a wrong option is accepted");
}

void call_background(struct worker *worker)
{
    unsigned long mark = weather_mark();
    int code = memkind_set_bg_threads(draw(worker, 2));

    MUST(code == MEMKIND_SUCCESS || weather_allows(mark, false), "background threads: code %d",
         code);
}

void call_questions(struct worker *worker)
{
    size_t number = draw(worker, MEMKIND_NUM_BASE_KIND), size = draw(worker, 200);
    memkind_t kind = *test_kinds[number].variable;
    int code = memkind_check_available(kind);
    ssize_t capacity = memkind_get_capacity(kind);
    char text[200];

    memset(text, 'x', sizeof text);
    memkind_error_message(code, text, size);
    MUST(size == sizeof text || text[size] == 'x', "error message: beyond its %zu bytes", size);
    MUST(size == 0 || memchr(text, '\0', size), "error message: no end in %zu bytes", size);
    MUST(capacity >= -1, "capacity: %zd of %s", capacity, test_kinds[number].name);
    code = memkind_check_dax_path(recipe_directory());
    MUST(code == MEMKIND_SUCCESS || code == MEMKIND_ERROR_MMAP || code == MEMKIND_ERROR_RUNTIME,
         "dax path: code %d", code);
}

/* --- hbwmalloc.h ------------------------------------------------------------------------------ */

static void *hbw_block(struct worker *worker, size_t size, size_t *alignment, bool *huge)
{
    void *at = NULL;
    int error;

    *alignment = 0;
    *huge = false;
    switch (draw(worker, 4)) {
    case 0:
        return hbw_calloc(1, size);
    case 1:
        *alignment = (size_t)8 << draw(worker, 10);
        error = hbw_posix_memalign(&at, *alignment, size);
        MUST(!error || error == ENOMEM, "hbw_posix_memalign: %d", error);
        return at;
    case 2:
        *alignment = 64;
        *huge = draw(worker, 8) == 0;
        error =
            hbw_posix_memalign_psize(&at, 64, size, *huge ? HBW_PAGESIZE_2MB : HBW_PAGESIZE_4KB);
        MUST(!error || error == ENOMEM || (*huge && error == EINVAL), /* not with each policy */
             "hbw_posix_memalign_psize: %d", error);
        return at;
    default:
        return hbw_malloc(size);
    }
}

void call_hbw(struct worker *worker)
{
    struct place *place = draw_empty(worker);
    size_t size = draw_size(worker), alignment;
    bool huge;
    void *at;
    int code = hbw_set_policy((hbw_policy_t)(1 + draw(worker, 4)));

    MUST(code == 0 || code == EPERM, "hbw_set_policy: %d", code);
    code = hbw_check_available();
    MUST(code == 0 || code == ENODEV, "hbw_check_available: %d", code);
    MUST(hbw_set_policy((hbw_policy_t)17) == EINVAL, "hbw_set_policy: a wrong one");
    at = hbw_block(worker, size, &alignment, &huge);
    if (!at)
        return;
    *place = (struct place){.size = size, .alignment = alignment, .owner = OWNER_HBW, .huge = huge};
    block_arrives(worker, place, at);
}

void call_hbw_region(struct worker *worker)
{
    struct place *place = draw_block(worker);
    int code;

    if (!place)
        return;
    code = hbw_verify_memory_region(place->at, place->size, HBW_TOUCH_PAGES);
    MUST(code >= -1 && code != EINVAL, "hbw_verify_memory_region: %d", code);
    MUST(hbw_verify_memory_region(NULL, 5, 0) == EINVAL, "hbw_verify_memory_region: no region");
    block_check(place);
}

/* --- memkind_memtier.h ------------------------------------------------------------------------ */

struct memtier_memory *tiers_make(uint64_t random)
{
    bool moves = random % 2;
    struct memtier_builder *builder =
        memtier_builder_new(moves ? MEMTIER_POLICY_DYNAMIC_THRESHOLD : MEMTIER_POLICY_STATIC_RATIO);
    struct memtier_memory *memory = NULL;
    unsigned interval = 1 + random % 50;

    for (unsigned i = 0; builder && i < TIERS; i++)
        if (the_round.shared[i].alive)
            memtier_builder_add_tier(builder, the_round.shared[i].made.kind,
                                     1 + (unsigned)(random >> 8 * i) % 7);
    if (builder && moves)
        memtier_ctl_set(builder, "policy.dynamic_threshold.check_cnt", &interval);
    if (builder)
        memory = memtier_builder_construct_memtier_memory(builder);
    memtier_builder_delete(builder);
    return memory;
}

/* The tier that a block is of. */
static struct subject *tier_of(void *at)
{
    memkind_t kind = memkind_detect_kind(at);

    for (size_t i = 0; i < TIERS; i++)
        if (the_round.shared[i].alive && the_round.shared[i].made.kind == kind)
            return &the_round.shared[i];
    fail("tiers: a block of another kind at %p", at);
}

void call_tier(struct worker *worker)
{
    struct place *place = draw_empty(worker);
    size_t size = draw_size(worker), alignment = 0;
    void *at = NULL;

    if (!the_round.tiers)
        return;
    switch (draw(worker, 4)) {
    case 0:
        at = memtier_calloc(the_round.tiers, 1, size);
        break;
    case 1:
        alignment = (size_t)8 << draw(worker, 10);
        memtier_posix_memalign(the_round.tiers, &at, alignment, size);
        break;
    case 2:
        at = memtier_realloc(the_round.tiers, NULL, size);
        break;
    default:
        at = memtier_malloc(the_round.tiers, size);
    }
    if (!at)
        return;
    *place = (struct place){
        .size = size, .alignment = alignment, .owner = OWNER_TIER, .subject = tier_of(at)};
    block_arrives(worker, place, at);
}

void call_tier_make(struct worker *worker)
{
    struct memtier_memory *memory = tiers_make(draw(worker, UINT64_MAX));
    void *blocks[20];

    if (!memory)
        return;
    for (size_t i = 0; i < LENGTH(blocks); i++)
        blocks[i] = memtier_malloc(memory, 1 + draw(worker, 4000));
    memtier_delete_memtier_memory(memory);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memtier_free(blocks[i]);
}
