/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * matrix: the operations of test_matrix.c, and what they work with.
 *
 * An operation runs in a process of its own, or after others in the same one (kinds of 1 GiB pages,
 * which take long to populate): it frees all its blocks, and leaves settings as they were. It says
 * what is wrong with NEED(), which ends the process.
 */
#pragma once

#include "recipes.h"

#define CELL_TEXT 256

struct cell {
    struct made made;
    memkind_t kind;
    const struct recipe *recipe;
    size_t room; /* bytes that a kind surely has */
    bool tbb;
    char *why;
    size_t *others;
    /* huge pages that other processes had when something was wrong */ /* shared with the test;
                                                                          empty: nothing is
                                                                          wrong so far */
};

struct operation {
    const char *name;
    const char *functions; /* of memkind.h that it is about, without "memkind_", with blanks */
    void (*run)(struct cell *cell);
};

extern const struct operation matrix_block_operations[];
extern const size_t matrix_block_operation_count;
extern const struct operation matrix_error_operations[];
extern const size_t matrix_error_operation_count;
extern const struct operation matrix_stat_operations[];
extern const size_t matrix_stat_operation_count;
extern const struct operation matrix_kind_operations[];
extern const size_t matrix_kind_operation_count;
extern const struct operation matrix_process_operations[];
extern const size_t matrix_process_operation_count;

/* Ends the process, for the first reason given. */
void cell_fail(struct cell *cell, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#define NEED(condition, ...)                        \
    do {                                            \
        if (!(condition))                           \
            cell_fail(cell, __LINE__, __VA_ARGS__); \
    } while (0)

/* --- what operations have in common ----------------------------------------------------------- */

/* Blocks with content, in memory that the library has nothing to do with. */
struct block {
    unsigned char *at;
    size_t size;
    uint64_t seed;
};

/* Room for `count` of them, zeroed; never given back. */
struct block *blocks_new(struct cell *cell, size_t count);

/* Writes content into a block that was just allocated; NULL is a failure. */
void block_set(struct cell *cell, struct block *block, void *at, size_t size, uint64_t seed);

/* Verifies the content and frees the block, with a NULL kind if that is wanted. */
void block_end(struct cell *cell, struct block *block, bool null_kind);

/* Every way of allocating, with one signature; posix_memalign's result goes to errno. */
struct way {
    const char *name;
    void *(*alloc)(memkind_t kind, size_t size);
};
extern const struct way matrix_ways[];
extern const size_t matrix_way_count;

/* The figure after an update. */
size_t cell_stat(struct cell *cell, memkind_t kind, memkind_stat_type type);

/* What this process wrote to stderr since that position, cut and terminated; NULL: all of it. */
const char *cell_log(size_t from);
size_t cell_log_end(void);
