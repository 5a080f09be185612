/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * model: what must hold of a block: its content, its place, its kind, its size; and when there may
 * be none.
 *
 * A worker's places belong to its thread. What a kind holds is counted by all.
 */
#include "torture.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SURE_SIZE (4 * MIB)          /* a block of a kind without a limit that must be had */
#define SURE_SMALL (64 * KIB)        /* of one with a limit, as long as ... */
#define SURE_PART 8                  /* ... this part of it is not exceeded */
#define WAIT_FOR_DEBUGGER_SECONDS 20 /* then the process ends by itself */

struct report *report;
bool torture_debugs;

void fail(const char *format, ...)
{
    va_list arguments;

    if (!atomic_exchange(&report->failed, true)) {
        va_start(arguments, format);
        vsnprintf(report->text, sizeof report->text, format, arguments);
        va_end(arguments);
        report->pid = getpid();
        report->is_waiting = true;
    }
    for (int i = 0; torture_debugs && i < WAIT_FOR_DEBUGGER_SECONDS; i++)
        sleep(1);
    _exit(99);
}

/* --- random numbers --------------------------------------------------------------------------- */

uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t draw(struct worker *worker, uint64_t below)
{
    worker->random = mix(worker->random, 1);
    return worker->random % below;
}

/* Mostly small ones, some of whole pages, few large ones. */
size_t draw_size(struct worker *worker)
{
    switch (draw(worker, 16)) {
    case 0:
        return 1 + draw(worker, 16);
    case 1:
    case 2:
        return 4096 * (1 + draw(worker, 16));
    case 3:
        return 32 * KIB - 64 + draw(worker, 128); /* about the largest that caches take */
    case 4:
        return 1 + draw(worker, 256 * KIB);
    case 5:
        return draw(worker, 4) ? 1 + draw(worker, 16 * KIB) : 1 + draw(worker, 5 * MIB);
    default:
        return 1 + draw(worker, (uint64_t)16 << draw(worker, 9));
    }
}

/* --- content ---------------------------------------------------------------------------------- */

/* Both ends in full; of what lies between, a word of each 256 bytes, so that no other block of that
 * size fits between them. */
static size_t next_word(size_t offset, size_t size)
{
    return offset < 4096 || offset + 4096 >= size ? offset + 8 : offset + 256;
}

static void content_write(unsigned char *at, size_t size, uint64_t content)
{
    size_t offset = 0;

    for (; offset + 8 <= size; offset = next_word(offset, size)) {
        uint64_t word = content ^ offset * 0x9e3779b97f4a7c15u;

        memcpy(at + offset, &word, sizeof word);
    }
    for (size_t i = size & ~(size_t)7; i < size; i++)
        at[i] = (unsigned char)(content >> 8 * (i & 7));
}

/* Where the first byte is that is not as it was written, of the first `kept`; -1: there is none. */
static ssize_t content_differs(const unsigned char *at, size_t size, size_t kept, uint64_t content)
{
    for (size_t offset = 0; offset + 8 <= kept; offset = next_word(offset, size)) {
        uint64_t word = content ^ offset * 0x9e3779b97f4a7c15u;

        if (offset + 8 <= size && memcmp(at + offset, &word, sizeof word) != 0)
            return (ssize_t)offset;
    }
    for (size_t i = size & ~(size_t)7; i < size && i < kept; i++)
        if (at[i] != (unsigned char)(content >> 8 * (i & 7)))
            return (ssize_t)i;
    return -1;
}

void block_check_part(const struct place *place, size_t kept)
{
    ssize_t offset = content_differs(place->at, place->size, kept, place->content);

    MUST(offset < 0, "content: a block of %zu bytes at %p of kind %s has changed at offset %zd",
         place->size, (void *)place->at, subject_name(place->subject), offset);
}

/* --- blocks ----------------------------------------------------------------------------------- */

const char *subject_name(const struct subject *subject)
{
    return subject ? subject->made.recipe->name : "hbw_malloc";
}

static memkind_t kind_of(const struct place *place)
{
    return place->subject ? place->subject->made.kind : NULL;
}

static void check_address(const struct worker *worker, const struct place *place)
{
    size_t alignment = place->alignment;

    for (alignment = alignment ? alignment : 16; !place->alignment && alignment > place->size;)
        alignment /= 2;
    MUST((uintptr_t)place->at % alignment == 0, "alignment: %p of kind %s, %zu bytes, not %zu",
         (void *)place->at, subject_name(place->subject), place->size, alignment);
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *other = &worker->places[i];

        if (other != place && other->at)
            MUST(place->at + place->usable <= other->at || other->at + other->usable <= place->at,
                 "overlap: %p of %zu bytes (%s) and %p of %zu (%s)", (void *)place->at,
                 place->usable, subject_name(place->subject), (void *)other->at, other->usable,
                 subject_name(other->subject));
    }
}

static void check_kind(const struct place *place)
{
    memkind_t kind = memkind_detect_kind(place->at);
    const struct subject *subject = place->subject;

    MUST(kind, "kind: none of %p, %zu bytes of %s", (void *)place->at, place->size,
         subject_name(subject));
    if (!subject)
        return;
    MUST(kind == subject->made.kind, "kind: another one of %p, %zu bytes of %s", (void *)place->at,
         place->size, subject_name(subject));
    MUST(recipe_covers(&subject->made, place->at) &&
             recipe_covers(&subject->made, place->at + place->size - 1),
         "kind: %p, %zu bytes, is not in the memory of %s", (void *)place->at, place->size,
         subject_name(subject));
}

void block_arrives(struct worker *worker, struct place *place, void *at)
{
    place->at = at;
    place->usable = memkind_malloc_usable_size(kind_of(place), at);
    MUST(place->usable >= place->size, "usable size: %zu of %zu bytes at %p of kind %s",
         place->usable, place->size, at, subject_name(place->subject));
    check_address(worker, place);
    check_kind(place);
    place->content = draw(worker, UINT64_MAX);
    content_write(place->at, place->size, place->content);
    if (place->subject)
        atomic_fetch_add(&place->subject->live, place->usable);
    if (place->subject && place->subject->most && !worker->in_child)
        MUST(place->subject->live <= place->subject->most, "limit: %zu bytes of %s, at most %zu",
             (size_t)place->subject->live, subject_name(place->subject), place->subject->most);
    atomic_fetch_add(&report->blocks, 1);
}

void block_check(const struct place *place)
{
    block_check_part(place, place->size);
    MUST(memkind_malloc_usable_size(NULL, place->at) == place->usable,
         "usable size: not %zu any more at %p of kind %s", place->usable, (void *)place->at,
         subject_name(place->subject));
    check_kind(place);
}

void *block_leaves(struct place *place)
{
    void *at = place->at;

    block_check(place);
    if (place->subject)
        atomic_fetch_sub(&place->subject->live, place->usable);
    memset(place, 0, sizeof *place);
    return at;
}

/* --- refusals --------------------------------------------------------------------------------- */

static bool is_sure(const struct subject *subject, size_t size)
{
    size_t limit = subject->made.recipe->limit;

    if (subject->may_fail || subject->may_refuse ||
        (subject->made.recipe->sort == RECIPE_PMEM && the_round.closes))
        return false;
    return !limit ? size <= SURE_SIZE
                  : size <= SURE_SMALL && subject->live + size <= limit / SURE_PART;
}

void block_refused(const struct worker *worker, const struct subject *subject, size_t size,
                   int error, unsigned long mark)
{
    MUST(error == ENOMEM, "refusal: errno %d for %zu bytes of kind %s", error, size,
         subject_name(subject));
    atomic_fetch_add(&report->refused, 1);
    if (!subject || (worker->in_child && subject->made.recipe->limit) ||
        weather_allows(mark, subject->made.recipe->sort == RECIPE_PMEM))
        return;
    MUST(!is_sure(subject, size), "refusal: %zu bytes of kind %s, which has %zu in use", size,
         subject_name(subject), (size_t)subject->live);
}
