/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * recipes: every way of having a kind, as one table. Tests that say "every kind" go through it.
 *
 * A recipe makes a kind with all that belongs to it (a caller's area, a caller's page functions),
 * and takes both away again. Static kinds have recipes, too: making one is nothing.
 */
#pragma once

#include "support.h"

enum recipe_sort {
    RECIPE_STATIC,
    RECIPE_NODES,
    RECIPE_PMEM,
    RECIPE_FIXED,
    RECIPE_CUSTOM,
};

/* Where a fixed kind's area is. */
enum recipe_area { AREA_ANONYMOUS, AREA_ODD, AREA_SHARED, AREA_FILE, AREA_HUGE };

struct recipe {
    const char *name;  /* short, for tables */
    const char *group; /* heading of the table it belongs to */
    enum recipe_sort sort;
    memkind_t *variable; /* of a static kind */
    memkind_policy_t policy;
    unsigned flags;   /* memkind_bits_t */
    size_t page_size; /* 0: base pages */
    size_t limit;     /* most bytes that it can have; 0: none of its own */
    bool conservative;
    bool purge; /* custom: has that function */
    enum recipe_area area;
};

extern const struct recipe recipes[];
extern const size_t recipe_count;

/* The recipe of that name; the test fails if there is none. */
const struct recipe *recipe_named(const char *name);

/* Regions that a custom kind has, as its functions see it. */
struct recipe_regions;

struct made {
    const struct recipe *recipe;
    memkind_t kind;
    void *map; /* fixed: the area with its surroundings */
    size_t map_size;
    char *area;
    size_t area_size;
    struct recipe_regions *regions;
};

/* The code of the create function; after an error nothing is left. */
int recipe_make(const struct recipe *recipe, struct made *made);

/* Destroys the kind, if it is a dynamic one, and gives back the rest. NULL, or what is wrong: the
 * library touched what is not its own, or kept something. */
const char *recipe_unmake(struct made *made);

/* The two parts of that, behind memkind_destroy_kind(). */
const char *recipe_is_wrong(const struct made *made);
void recipe_release(struct made *made);

/* Whether an address lies in memory that this kind may hand out, as far as the test knows it. */
bool recipe_covers(const struct made *made, const void *address);

/* Whether a child of fork(2) has the kind's memory in common with its parent. */
bool recipe_is_shared(const struct recipe *recipe);

/* A directory for files of PMEM kinds: MEMKIND_TEST_DIRECTORY, else /dev/shm, else /tmp. */
const char *recipe_directory(void);
