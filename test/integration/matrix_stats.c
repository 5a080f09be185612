/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Operations on statistics, as figures and as text. See matrix.h. */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

size_t cell_stat(struct cell *cell, memkind_t kind, memkind_stat_type type)
{
    size_t value = 0;
    int code = memkind_update_cached_stats();

    NEED(code == MEMKIND_SUCCESS, "update_cached_stats: %d", code);
    code = memkind_get_stat(kind, type, &value);
    NEED(code == MEMKIND_SUCCESS, "get_stat: %d", code);
    return value;
}

/* --- statistics ------------------------------------------------------------------------------- */

#define COUNTED 4000

static void check_order(struct cell *cell, const char *when)
{
    size_t of_kind[MEMKIND_STAT_TYPE_MAX_VALUE], of_all[MEMKIND_STAT_TYPE_MAX_VALUE];

    for (int type = 0; type < MEMKIND_STAT_TYPE_MAX_VALUE; type++) {
        of_kind[type] = cell_stat(cell, cell->kind, (memkind_stat_type)type);
        of_all[type] = cell_stat(cell, NULL, (memkind_stat_type)type);
        NEED(of_all[type] >= of_kind[type], "%s, figure %d: the kind's %zu of all %zu", when, type,
             of_kind[type], of_all[type]);
    }
    NEED(of_kind[0] >= of_kind[1] && of_kind[1] >= of_kind[2], "%s: the kind's %zu, %zu, %zu", when,
         of_kind[0], of_kind[1], of_kind[2]);
    NEED(of_all[0] >= of_all[1] && of_all[1] >= of_all[2], "%s: all kinds' %zu, %zu, %zu", when,
         of_all[0], of_all[1], of_all[2]);
    NEED(of_kind[1] % 4096 == 0, "%s: active %zu", when, of_kind[1]);
}

static void op_get_stat(struct cell *cell)
{
    struct block *blocks = blocks_new(cell, COUNTED);
    size_t before = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED), after, sum = 0,
           cached;
    struct block large;

    check_order(cell, "at first");
    for (size_t i = 0; i < COUNTED; i++) {
        size_t size = 1 + i * 7 % 3000;

        block_set(cell, &blocks[i], memkind_malloc(cell->kind, size), size, i);
        sum += memkind_malloc_usable_size(cell->kind, blocks[i].at);
    }
    memkind_get_stat(cell->kind, MEMKIND_STAT_TYPE_ALLOCATED, &cached);
    NEED(cached == before, "the figure changed without an update");
    after = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
    /* jemalloc counts what thread caches hold as allocated. */
    if (cell->tbb)
        NEED(after - before == sum, "%zu bytes more, blocks have %zu", after - before, sum);
    else
        NEED(after - before >= sum / 10 * 9 && after - before <= sum + sum / 2 + 4 * MIB,
             "%zu bytes more, blocks have %zu", after - before, sum);
    check_order(cell, "with blocks");
    block_set(cell, &large, memkind_malloc(cell->kind, 5 * MIB), 5 * MIB, 1);
    sum = memkind_malloc_usable_size(cell->kind, large.at);
    cached = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED) - after;
    NEED(cached == sum, "%zu bytes more for a block of %zu", cached, sum);
    block_end(cell, &large, true);
    NEED(cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED) == after, "the block is freed");
    for (size_t i = 0; i < COUNTED; i++)
        block_end(cell, &blocks[i], i % 2);
    cached = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
    NEED(cell->tbb ? cached == before : cached <= before + (after - before) / 4,
         "%zu bytes before, %zu with blocks, %zu when they are freed", before, after, cached);
    check_order(cell, "at last");
}

static void op_get_stat_wrong(struct cell *cell)
{
    size_t value = 77;

    NEED(memkind_get_stat(cell->kind, MEMKIND_STAT_TYPE_MAX_VALUE, &value) == MEMKIND_ERROR_INVALID,
         "a type that is none");
    NEED(memkind_get_stat(cell->kind, (memkind_stat_type)-1, &value) == MEMKIND_ERROR_INVALID,
         "a type that is none");
    NEED(memkind_get_stat(cell->kind, MEMKIND_STAT_TYPE_ACTIVE, NULL) == MEMKIND_ERROR_INVALID,
         "no place for the value");
    NEED(value == 77, "the value was changed");
}

/* --- statistics as text ----------------------------------------------------------------------- */

struct text {
    char *at;
    size_t length, room;
};

static void text_add(void *opaque, const char *piece)
{
    struct text *text = opaque;
    size_t length = strlen(piece);

    if (text->length + length + 1 > text->room)
        return; /* the end is missing: it is no JSON any more */
    memcpy(text->at + text->length, piece, length + 1);
    text->length += length;
}

static void print_text(struct cell *cell, struct text *text, unsigned options)
{
    int code;

    if (!text->at) {
        text->room = 64 * MIB;
        text->at =
            mmap(NULL, text->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        NEED(text->at != MAP_FAILED, "mmap");
    }
    text->length = 0;
    code = memkind_stats_print(text_add, text, (memkind_stat_print_opt)options);
    NEED(code == MEMKIND_SUCCESS, "options %x: %d", options, code);
    NEED(text->length > 10, "options %x: \"%s\"", options, text->at);
}

#define OPTIONS (MEMKIND_STAT_PRINT_OMIT_EXTENT * 2)

static void op_stats_print(struct cell *cell)
{
    struct text text = {0};
    void *block = memkind_malloc(cell->kind, 100000);
    size_t all, end = cell_log_end();

    print_text(cell, &text, MEMKIND_STAT_PRINT_ALL);
    all = text.length;
    for (unsigned option = MEMKIND_STAT_PRINT_JSON_FORMAT * 2; option < OPTIONS; option *= 2) {
        print_text(cell, &text, option);
        NEED(text.length <= all + all / 4, "option %x adds text", option);
    }
    print_text(cell, &text, OPTIONS - 2);
    NEED(text.length < all, "options omit nothing");
    NEED(memkind_stats_print(text_add, &text, OPTIONS) == MEMKIND_ERROR_INVALID,
         "an option that is none");
    NEED(memkind_stats_print(NULL, NULL, MEMKIND_STAT_PRINT_ALL) == MEMKIND_SUCCESS, "to stderr");
    NEED(cell_log_end() >= end + all / 2, "%zu bytes on stderr, %zu through a function",
         cell_log_end() - end, all);
    memkind_free(cell->kind, block);
}

/* Checks one JSON value; NULL: it is none. Else what follows. */
static const char *json_value(const char *at, int depth);

static const char *json_blank(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *json_string(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++)
        if ((unsigned char)*at < ' ' || (*at == '\\' && !strchr("\"\\/bfnrtu", *++at)))
            return NULL;
    return at + 1;
}

static const char *json_members(const char *at, char close, int depth)
{
    at = json_blank(at + 1);
    if (*at == close)
        return at + 1;
    for (;;) {
        if (close == '}') {
            at = json_string(json_blank(at));
            at = at ? json_blank(at) : NULL;
            if (!at || *at++ != ':')
                return NULL;
        }
        at = json_value(json_blank(at), depth);
        at = at ? json_blank(at) : NULL;
        if (!at || (*at != ',' && *at != close))
            return NULL;
        if (*at++ == close)
            return at;
    }
}

static const char *json_value(const char *at, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    char *end;

    if (depth > 50)
        return NULL;
    if (*at == '{' || *at == '[')
        return json_members(at, *at == '{' ? '}' : ']', depth + 1);
    if (*at == '"')
        return json_string(at);
    for (size_t i = 0; i < LENGTH(words); i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    if (*at != '-' && (*at < '0' || *at > '9'))
        return NULL;
    (void)strtod(at, &end);
    return end;
}

static void op_stats_print_json(struct cell *cell)
{
    static const unsigned some[] = {0, MEMKIND_STAT_PRINT_OMIT_PER_ARENA, OPTIONS - 2};
    struct text text = {0};
    void *block = memkind_malloc(cell->kind, 100000);

    for (size_t i = 0; i < LENGTH(some); i++) {
        const char *end;

        print_text(cell, &text, MEMKIND_STAT_PRINT_JSON_FORMAT | some[i]);
        end = json_value(json_blank(text.at), 0);
        NEED(end && *json_blank(end) == '\0' && text.at[0] == '{', "options %x: no JSON: %.60s",
             some[i], text.at);
    }
    memkind_free(cell->kind, block);
}

const struct operation matrix_stat_operations[] = {
    {"get_stat", " get_stat update_cached_stats ", op_get_stat},
    {"get_stat, errors", " get_stat ", op_get_stat_wrong},
    {"stats_print", " stats_print ", op_stats_print},
    {"stats_print, JSON", " stats_print ", op_stats_print_json},
};
const size_t matrix_stat_operation_count = LENGTH(matrix_stat_operations);
