/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * operations: the table of what a thread may do next, and those that concern its blocks.
 *
 * What comes next is drawn from the plan's seed, the sequence and the operation's number, never
 * from what happened before: a sequence with gaps is the same but for its gaps.
 */
#include "torture.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <stdlib.h>
#include <string.h>

/* --- what an operation works on --------------------------------------------------------------- */

struct subject *draw_subject(struct worker *worker)
{
    unsigned choice = (unsigned)draw(worker, SHARED + GUESTS);
    struct subject *subject =
        choice < SHARED ? &the_round.shared[choice] : &worker->guests[choice - SHARED];

    return subject->alive ? subject : &the_round.shared[0];
}

/* The first of those that are (or are not) in use behind a place that is drawn; NULL: none. */
static struct place *draw_place(struct worker *worker, bool in_use)
{
    unsigned first = (unsigned)draw(worker, PLACES);

    for (unsigned i = 0; i < PLACES; i++) {
        struct place *place = &worker->places[(first + i) % PLACES];

        if (!place->at != in_use)
            return place;
    }
    return NULL;
}

struct place *draw_block(struct worker *worker)
{
    return draw_place(worker, true);
}

static void release(struct place *place, bool name_kind)
{
    memkind_t kind = place->subject && name_kind ? place->subject->made.kind : NULL;
    enum owner owner = place->owner;
    void *at = block_leaves(place);

    if (owner == OWNER_TIER)
        memtier_kind_free(kind, at);
    else if (owner == OWNER_HBW)
        hbw_free(at);
    else
        memkind_free(kind, at);
}

struct place *draw_empty(struct worker *worker)
{
    struct place *place = draw_place(worker, false);

    if (!place) {
        place = draw_block(worker);
        release(place, true);
    }
    return place;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void run_malloc(struct worker *worker)
{
    struct subject *subject = draw_subject(worker);
    struct place *place = draw_empty(worker);
    size_t size = draw_size(worker);
    unsigned long mark = weather_mark();
    void *at;

    errno = TEST_ERRNO;
    at = memkind_malloc(subject->made.kind, size);
    if (!at) {
        block_refused(worker, subject, size, errno, mark);
        return;
    }
    *place = (struct place){.size = size, .subject = subject};
    block_arrives(worker, place, at);
}

static void run_calloc(struct worker *worker)
{
    struct subject *subject = draw_subject(worker);
    struct place *place = draw_empty(worker);
    size_t size = draw_size(worker), count = 1 + draw(worker, 3);
    unsigned long mark = weather_mark();
    unsigned char *at;

    errno = TEST_ERRNO;
    at = memkind_calloc(subject->made.kind, count, size / count + 1);
    size = count * (size / count + 1);
    if (!at) {
        block_refused(worker, subject, size, errno, mark);
        return;
    }
    MUST(test_is_zero(at, size), "calloc: %zu bytes at %p of kind %s are not zero", size,
         (void *)at, subject_name(subject));
    *place = (struct place){.size = size, .subject = subject};
    block_arrives(worker, place, at);
}

static void run_memalign(struct worker *worker)
{
    struct subject *subject = draw_subject(worker);
    struct place *place = draw_empty(worker);
    size_t size = draw_size(worker), alignment = (size_t)8 << draw(worker, 13);
    unsigned long mark = weather_mark();
    void *at = NULL;
    int error;

    if (draw(worker, 40) == 0)
        alignment = (size_t)8 << draw(worker, 19); /* up to 2 MiB */
    errno = TEST_ERRNO;
    error = memkind_posix_memalign(subject->made.kind, &at, alignment, size);
    MUST(errno == TEST_ERRNO, "posix_memalign: errno is %d", errno);
    if (error) {
        MUST(!at, "posix_memalign: an error, and a block");
        block_refused(worker, subject, size + alignment, error, mark);
        return;
    }
    *place = (struct place){.size = size, .alignment = alignment, .subject = subject};
    block_arrives(worker, place, at);
}

static void *reallocate(const struct place *place, size_t size, bool name_kind)
{
    if (place->owner == OWNER_HBW)
        return hbw_realloc(place->at, size);
    if (place->owner == OWNER_TIER)
        return memtier_realloc(the_round.tiers, place->at, size);
    return memkind_realloc(name_kind ? place->subject->made.kind : NULL, place->at, size);
}

/* The block of a place is another one now, of another size. */
static void replace(struct worker *worker, struct place *place, void *at, size_t size)
{
    size_t old_size = place->size;

    if (place->subject)
        atomic_fetch_sub(&place->subject->live, place->usable);
    place->at = at;
    block_check_part(place, size < old_size ? size : old_size);
    place->size = size;
    place->alignment = 0;
    block_arrives(worker, place, at);
}

static void run_realloc(struct worker *worker)
{
    struct place *place = draw_block(worker);
    size_t size = draw_size(worker);
    unsigned long mark = weather_mark();
    void *at;

    if (!place)
        return;
    if (draw(worker, 3) == 0) /* a little more or less */
        size = place->size + draw(worker, 1 + place->size / 2) - place->size / 4;
    size += !size;
    block_check(place);
    errno = TEST_ERRNO;
    at = reallocate(place, size, draw(worker, 2));
    if (!at) {
        block_check(place);
        block_refused(worker, place->subject, size, errno, mark);
        return;
    }
    replace(worker, place, at, size);
}

static void run_defrag(struct worker *worker)
{
    struct place *place = draw_block(worker);
    void *at;

    if (!place || place->owner == OWNER_TIER)
        return;
    at = memkind_defrag_reallocate(NULL, place->at);
    if (at)
        replace(worker, place, at, place->size);
    block_check(place);
}

static void run_free(struct worker *worker)
{
    struct place *place = draw_block(worker);

    if (place)
        release(place, draw(worker, 2));
}

/* realloc to no bytes frees. */
static void run_realloc_free(struct worker *worker)
{
    struct place *place = draw_block(worker);
    struct place copy;

    if (!place)
        return;
    copy = *place;
    block_leaves(place);
    errno = TEST_ERRNO;
    MUST(!reallocate(&copy, 0, draw(worker, 2)), "realloc to no bytes gives a block");
    MUST(errno == TEST_ERRNO, "realloc to no bytes sets errno to %d", errno);
}

static void run_check(struct worker *worker)
{
    for (size_t i = 0; i < PLACES; i++)
        if (worker->places[i].at)
            block_check(&worker->places[i]);
}

/* Many of one size, which fill and flush caches. */
static void run_burst(struct worker *worker)
{
    enum { MOST = 400 };
    struct subject *subject = draw_subject(worker);
    size_t size = draw(worker, 4) ? 1 + draw(worker, 512) : 1 + draw(worker, 8192);
    unsigned count = 1 + (unsigned)draw(worker, MOST), had = 0;
    unsigned char *blocks[MOST];
    unsigned long mark = weather_mark();

    for (; had < count; had++) {
        errno = TEST_ERRNO;
        blocks[had] = memkind_malloc(subject->made.kind, size);
        if (!blocks[had]) {
            block_refused(worker, subject, size, errno, mark);
            break;
        }
        atomic_fetch_add(&subject->live, size);
        memset(blocks[had], (int)had, size);
    }
    for (unsigned i = 0; i < had; i++) {
        MUST(blocks[i][0] == (unsigned char)i && blocks[i][size - 1] == (unsigned char)i,
             "content: a block of a burst of %zu bytes of kind %s", size, subject_name(subject));
        memkind_free(i % 2 ? NULL : subject->made.kind, blocks[i]);
        atomic_fetch_sub(&subject->live, size);
    }
}

/* --- what is no block ------------------------------------------------------------------------- */

static void run_no_size(struct worker *worker)
{
    memkind_t kind = draw_subject(worker)->made.kind;
    void *at = kind;

    errno = TEST_ERRNO;
    MUST(!memkind_malloc(kind, 0) && !memkind_calloc(kind, 0, 5) && !memkind_realloc(kind, NULL, 0),
         "no bytes: a block");
    MUST(memkind_posix_memalign(kind, &at, 64, 0) == 0 && !at, "no bytes: posix_memalign");
    MUST(errno == TEST_ERRNO, "no bytes: errno %d", errno);
    memkind_free(kind, NULL);
    memkind_free(NULL, NULL);
}

static void run_too_much(struct worker *worker)
{
    memkind_t kind = draw_subject(worker)->made.kind;
    size_t size = draw(worker, 2) ? SIZE_MAX - draw(worker, 3 * MIB)
                                  : (size_t)PTRDIFF_MAX - MIB + draw(worker, 2 * MIB);
    struct place *place = draw_block(worker);
    void *at = NULL;

    errno = 0;
    MUST(!memkind_malloc(kind, size) && errno == ENOMEM, "too much: malloc, errno %d", errno);
    errno = 0;
    MUST(!memkind_calloc(kind, size / 7, 8 + draw(worker, 1000)) && errno == ENOMEM,
         "too much: calloc, errno %d", errno);
    MUST(memkind_posix_memalign(kind, &at, 64, size) == ENOMEM && !at, "too much: memalign");
    MUST(memkind_posix_memalign(kind, &at, (size_t)1 << 62, 1) == ENOMEM && !at,
         "too much: alignment");
    MUST(memkind_posix_memalign(kind, &at, 8 * (3 + 2 * draw(worker, 9)), 1) == EINVAL && !at,
         "wrong alignment");
    MUST(memkind_posix_memalign(kind, &at, 4, 1) == EINVAL && !at, "small alignment");
    if (place) {
        errno = 0;
        MUST(!reallocate(place, size, draw(worker, 2)) && errno == ENOMEM,
             "too much: realloc, errno %d", errno);
        block_check(place);
    }
}

static void run_no_kind(struct worker *worker)
{
    void *at = worker;

    errno = 0;
    MUST(!memkind_malloc(NULL, draw_size(worker)) && errno == EINVAL, "no kind: malloc");
    errno = 0;
    MUST(!memkind_realloc(NULL, NULL, 8) && errno == EINVAL, "no kind: realloc");
    MUST(memkind_posix_memalign(NULL, &at, 64, 8) == EINVAL && at == worker, "no kind: memalign");
    MUST(!memkind_detect_kind(NULL) && !memkind_malloc_usable_size(NULL, NULL), "no block");
}

/* An address that is the start of no block. */
static void *draw_foreign(struct worker *worker)
{
    struct place *place = draw_block(worker);

    switch (draw(worker, 6)) {
    case 0:
        return &worker->random;
    case 1:
        return &the_round;
    case 2:
        return (void *)(uintptr_t)draw(worker, UINT64_MAX);
    case 3:
        return (void *)(uintptr_t)draw(worker, (uint64_t)1 << 47);
    default:
        return place && place->usable > 1 ? place->at + 1 + draw(worker, place->usable - 1)
                                          : (void *)worker;
    }
}

static void run_foreign(struct worker *worker)
{
    unsigned char *at = draw_foreign(worker);
    void *kind = memkind_detect_kind(at);

    for (size_t i = 0; i < PLACES; i++) {
        const struct place *place = &worker->places[i];

        if (!place->at || at <= place->at || at >= place->at + place->usable)
            continue;
        MUST(!memkind_malloc_usable_size(NULL, at),
             "foreign: %zu of %zu bytes behind %p of kind %s is a block", (size_t)(at - place->at),
             place->usable, (void *)place->at, subject_name(place->subject));
        memkind_free(NULL, at);
        errno = 0;
        MUST(!memkind_realloc(NULL, at, 100) && errno == EINVAL, "foreign: realloc, errno %d",
             errno);
        MUST(!memkind_defrag_reallocate(NULL, at), "foreign: defrag");
        block_check(place);
        return;
    }
    if (!kind) /* not by chance a block of another thread */
        memkind_free(NULL, at);
}

/* --- from thread to thread -------------------------------------------------------------------- */

enum { MAIL_NONE, MAIL_BUSY, MAIL_THERE };

static bool mail_from(struct mail *mail, int state)
{
    return atomic_compare_exchange_strong(&mail->state, &state, MAIL_BUSY);
}

static bool is_guest(const struct worker *worker, const struct subject *subject)
{
    return subject >= worker->guests && subject < worker->guests + GUESTS;
}

static void run_give(struct worker *worker)
{
    struct mail *mail = &the_round.mailbox[draw(worker, MAILBOX)];
    struct place *place = draw_block(worker);

    if (worker->in_child || !place || is_guest(worker, place->subject) ||
        !mail_from(mail, MAIL_NONE))
        return;
    mail->place = *place;
    memset(place, 0, sizeof *place);
    mail->state = MAIL_THERE;
}

static void run_take(struct worker *worker)
{
    struct mail *mail = &the_round.mailbox[draw(worker, MAILBOX)];
    struct place *place = draw_empty(worker);

    if (worker->in_child || !mail_from(mail, MAIL_THERE))
        return;
    *place = mail->place;
    mail->state = MAIL_NONE;
    block_check(place);
}

void mailbox_empty(void)
{
    for (size_t i = 0; i < MAILBOX; i++)
        if (mail_from(&the_round.mailbox[i], MAIL_THERE))
            release(&the_round.mailbox[i].place, i % 2);
}

/* --- the table -------------------------------------------------------------------------------- */

/* clang-format off */
const struct operation operations[] = {
    {"malloc",        200, -1, run_malloc},
    {"calloc",         50, -1, run_calloc},
    {"memalign",       40, -1, run_memalign},
    {"realloc",        70, -1, run_realloc},
    {"realloc_free",   10, -1, run_realloc_free},
    {"free",          120, -1, run_free},
    {"defrag",         15, -1, run_defrag},
    {"check",          10, -1, run_check},
    {"burst",          20, -1, run_burst},
    {"no_size",         5, -1, run_no_size},
    {"too_much",        5, -1, run_too_much},
    {"no_kind",         5, -1, run_no_kind},
    {"foreign",        15, -1, run_foreign},
    {"give",           40, -1, run_give},
    {"take",           40, -1, run_take},
    {"create",         10, -1, call_create},
    {"create_wrong",    3, -1, call_create_wrong},
    {"destroy",         8, -1, call_destroy},
    {"destroy_wrong",   2, -1, call_destroy_wrong},
    {"statistics",      8, -1, call_statistics},
    {"print",           1, -1, call_print},
    {"background",      2, -1, call_background},
    {"questions",       6, -1, call_questions},
    {"trim",            4, -1, call_trim},
    {"refresh",         1, -1, call_refresh},
    {"limit",           4, -1, call_limit},
    {"hostile",         2, -1, call_hostile},
    {"hbw",            30, -1, call_hbw},
    {"hbw_region",      2, -1, call_hbw_region},
    {"tier",           30, -1, call_tier},
    {"tier_make",       2, -1, call_tier_make},
    {"thread",          6, -1, process_thread},
    {"small_stack",     2, -1, process_small_stack},
    {"cancel",          6, FAULT_CANCEL, process_cancel},
    {"fork",            3, FAULT_FORK, process_fork},
    {"exec",            1, FAULT_EXEC, process_exec},
    {"dlopen",          3, FAULT_DLOPEN, process_dlopen},
    {"descriptors",     1, FAULT_DESCRIPTORS, process_descriptors},
};
/* clang-format on */
const size_t operation_count = LENGTH(operations);
_Static_assert(LENGTH(operations) <= OPERATION_NAMES, "room in the report");

static const struct operation *choose(struct worker *worker)
{
    unsigned sum = 0, chosen;
    size_t i = 0;

    for (size_t k = 0; k < operation_count; k++)
        sum += operations[k].weight;
    for (chosen = (unsigned)draw(worker, sum); chosen >= operations[i].weight; i++)
        chosen -= operations[i].weight;
    return &operations[i];
}

void operation_run(struct worker *worker, uint64_t stream, unsigned number)
{
    const struct operation *operation;

    worker->random = mix(mix(worker->plan->seed, stream), number);
    operation = choose(worker);
    if (operation->fault >= 0 && !HAS(worker->plan, operation->fault))
        return;
    if (operation->run == process_thread || operation->run == process_small_stack ||
        operation->fault >= 0)
        if (worker->depth >= DEPTH_MOST)
            return;
    if (worker->depth == 0) {
        report->at[worker->index].operation = number + 1;
        report->at[worker->index].name = operation->name;
    }
    atomic_fetch_add(&report->operations[operation - operations], 1);
    if (operation->fault >= 0)
        atomic_fetch_add(&report->faults[operation->fault], 1);
    operation->run(worker);
}

void operations_run(struct worker *worker, uint64_t stream, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        operation_run(worker, stream, i);
}

void worker_end(struct worker *worker)
{
    for (size_t i = 0; i < PLACES; i++)
        if (worker->places[i].at && !is_guest(worker, worker->places[i].subject))
            release(&worker->places[i], i % 2);
    for (size_t i = 0; i < GUESTS; i++)
        if (worker->guests[i].alive)
            subject_end(worker, &worker->guests[i]);
}
