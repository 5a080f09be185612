/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see recipes.h. */
#include "recipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AREA_SIZE (256 * MIB)
#define PAGE ((size_t)4096)
#define PATTERN 0xa5

/* A table is read in columns. */
/* clang-format off */
#define BASE  "Static kinds"
#define PLACE "Static kinds by capacity, latency and bandwidth"
#define HUGE  "Huge pages"
#define MADE  "memkind_create_nodes"
#define OWN   "memkind_create_pmem, memkind_create_fixed, memkind_create_custom"

#define STATIC(NAME, GROUP, KIND, PAGE_SIZE)                                                       \
    {.name = NAME, .group = GROUP, .sort = RECIPE_STATIC, .variable = &MEMKIND_##KIND,             \
     .page_size = PAGE_SIZE}
#define NODES(NAME, GROUP, POLICY, FLAGS, PAGE_SIZE)                                               \
    {.name = NAME, .group = GROUP, .sort = RECIPE_NODES, .policy = MEMKIND_POLICY_##POLICY,        \
     .flags = FLAGS, .page_size = PAGE_SIZE}
#define PMEM(NAME, CONSERVATIVE, LIMIT)                                                            \
    {.name = NAME, .group = OWN, .sort = RECIPE_PMEM, .conservative = CONSERVATIVE, .limit = LIMIT}
#define FIXED(NAME, GROUP, AREA, SIZE, PAGE_SIZE)                                                  \
    {.name = NAME, .group = GROUP, .sort = RECIPE_FIXED, .area = AREA_##AREA, .limit = SIZE,       \
     .page_size = PAGE_SIZE}
#define CUSTOM(NAME, PURGE)                                                                        \
    {.name = NAME, .group = OWN, .sort = RECIPE_CUSTOM, .purge = PURGE, .limit = AREA_SIZE}

const struct recipe recipes[] = {
    STATIC("DEFAULT",    BASE,  DEFAULT,                           0),
    STATIC("REGULAR",    BASE,  REGULAR,                           0),
    STATIC("INTERLEAVE", BASE,  INTERLEAVE,                        0),
    STATIC("HBW",        BASE,  HBW,                               0),
    STATIC("HBW_ALL",    BASE,  HBW_ALL,                           0),
    STATIC("HBW_PREF",   BASE,  HBW_PREFERRED,                     0),
    STATIC("HBW_INTER",  BASE,  HBW_INTERLEAVE,                    0),
    STATIC("DAX",        BASE,  DAX_KMEM,                          0),
    STATIC("DAX_ALL",    BASE,  DAX_KMEM_ALL,                      0),
    STATIC("DAX_PREF",   BASE,  DAX_KMEM_PREFERRED,                0),
    STATIC("DAX_INTER",  BASE,  DAX_KMEM_INTERLEAVE,               0),

    STATIC("CAP",        PLACE, HIGHEST_CAPACITY,                  0),
    STATIC("CAP_PREF",   PLACE, HIGHEST_CAPACITY_PREFERRED,        0),
    STATIC("CAP_LOC",    PLACE, HIGHEST_CAPACITY_LOCAL,            0),
    STATIC("CAP_LOC_P",  PLACE, HIGHEST_CAPACITY_LOCAL_PREFERRED,  0),
    STATIC("LAT_LOC",    PLACE, LOWEST_LATENCY_LOCAL,              0),
    STATIC("LAT_LOC_P",  PLACE, LOWEST_LATENCY_LOCAL_PREFERRED,    0),
    STATIC("BW_LOC",     PLACE, HIGHEST_BANDWIDTH_LOCAL,           0),
    STATIC("BW_LOC_P",   PLACE, HIGHEST_BANDWIDTH_LOCAL_PREFERRED, 0),

    NODES("n. binda",    MADE, BIND_ALL,                0, 0),
    NODES("n. bindl",    MADE, BIND_LOCAL,              0, 0),
    NODES("n. pref",     MADE, PREFERRED_LOCAL,         0, 0),
    NODES("n. inter",    MADE, INTERLEAVE_ALL,          0, 0),
    NODES("n. weight",   MADE, WEIGHTED_INTERLEAVE_ALL, 0, 0),

    PMEM("pmem",         false, 0),
    PMEM("pmem lim",     false, AREA_SIZE),
    PMEM("pmem cons",    true,  0),
    PMEM("pmem c lim",   true,  AREA_SIZE),
    FIXED("fix anon",    OWN, ANONYMOUS, AREA_SIZE, 0),
    FIXED("fix odd",     OWN, ODD,       AREA_SIZE, 0),
    FIXED("fix shm",     OWN, SHARED,    AREA_SIZE, 0),
    FIXED("fix file",    OWN, FILE,      AREA_SIZE, 0),
    CUSTOM("custom",     true),
    CUSTOM("cust nopu",  false),

    STATIC("HUGETLB",    HUGE, HUGETLB,               2 * MIB),
    STATIC("HBW",        HUGE, HBW_HUGETLB,           2 * MIB),
    STATIC("HBW_ALL",    HUGE, HBW_ALL_HUGETLB,       2 * MIB),
    STATIC("HBW_PREF",   HUGE, HBW_PREFERRED_HUGETLB, 2 * MIB),
    NODES("n. binda",    HUGE, BIND_ALL,        MEMKIND_MASK_PAGE_SIZE_2MB, 2 * MIB),
    NODES("n. bindl",    HUGE, BIND_LOCAL,      MEMKIND_MASK_PAGE_SIZE_2MB, 2 * MIB),
    NODES("n. pref",     HUGE, PREFERRED_LOCAL, MEMKIND_MASK_PAGE_SIZE_2MB, 2 * MIB),
    FIXED("fix huge",    HUGE, HUGE,      AREA_SIZE, 2 * MIB),
    STATIC("GBTLB",      HUGE, GBTLB,               GIB),
    STATIC("HBW 1G",     HUGE, HBW_GBTLB,           GIB),
    STATIC("HBW_P 1G",   HUGE, HBW_PREFERRED_GBTLB, GIB),
    NODES("n.binda 1G",  HUGE, BIND_ALL,        30, GIB),
};
/* clang-format on */
const size_t recipe_count = LENGTH(recipes);

const struct recipe *recipe_named(const char *name)
{
    for (size_t i = 0; i < recipe_count; i++)
        if (strcmp(recipes[i].name, name) == 0)
            return &recipes[i];
    cr_assert_fail("no recipe \"%s\"", name);
    return NULL;
}

bool recipe_is_shared(const struct recipe *recipe)
{
    return recipe->sort == RECIPE_PMEM ||
           (recipe->sort == RECIPE_FIXED && recipe->area != AREA_ANONYMOUS &&
            recipe->area != AREA_ODD && recipe->area != AREA_HUGE);
}

const char *recipe_directory(void)
{
    const char *named = getenv("MEMKIND_TEST_DIRECTORY");

    if (named)
        return named;
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* --- areas of fixed kinds --------------------------------------------------------------------- */

static int area_file(enum recipe_area area)
{
    return area == AREA_SHARED ? memfd_create("area", MFD_CLOEXEC)
                               : open(recipe_directory(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

/* Between two pages that nobody may touch; the odd one neither begins nor ends with a page. */
static bool area_make(struct made *made)
{
    const struct recipe *recipe = made->recipe;
    size_t edge = recipe->area == AREA_HUGE ? 0 : PAGE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS, file = -1;

    made->map_size = recipe->limit + 2 * edge;
    if (recipe->area == AREA_HUGE)
        flags |= MAP_HUGETLB | 21 << 26;
    if (recipe->area == AREA_SHARED || recipe->area == AREA_FILE) {
        flags = MAP_SHARED;
        file = area_file(recipe->area);
        if (file < 0 || ftruncate(file, (off_t)made->map_size))
            return false;
    }
    made->map = mmap(NULL, made->map_size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (file >= 0)
        close(file);
    if (made->map == MAP_FAILED)
        return false;
    made->area = (char *)made->map + edge;
    made->area_size = recipe->limit;
    if (edge) {
        mprotect(made->map, edge, PROT_NONE);
        mprotect(made->area + made->area_size, edge, PROT_NONE);
    }
    if (recipe->area == AREA_ODD) {
        memset(made->area, PATTERN, PAGE);
        memset(made->area + made->area_size - PAGE, PATTERN, PAGE);
        made->area += 24;
        made->area_size -= 24 + 100;
    }
    return true;
}

static bool area_is_well(const struct made *made)
{
    const unsigned char *first = (void *)(made->area - 24);
    const unsigned char *last = (void *)(made->area + made->area_size);

    if (made->recipe->area != AREA_ODD)
        return true;
    for (int i = 0; i < 24; i++)
        if (first[i] != PATTERN)
            return false;
    for (int i = 0; i < 100; i++)
        if (last[i] != PATTERN)
            return false;
    return true;
}

/* --- page functions of custom kinds ----------------------------------------------------------- */

/* No lock: a child of fork(2) finds it usable at any moment. */
struct recipe_regions {
    atomic_size_t total;
    size_t limit;
    atomic_int errors;
    struct {
        _Atomic uintptr_t address;
        _Atomic size_t size;
    } of[512];
};

static void *regions_map(void *context, size_t size, size_t alignment)
{
    struct recipe_regions *regions = context;
    size_t whole = size + alignment;
    char *map, *start;

    if (size % (2 * MIB) || size == 0 || alignment % (2 * MIB) || (alignment & (alignment - 1)))
        regions->errors++;
    if (atomic_fetch_add(&regions->total, size) + size > regions->limit || whole < size) {
        atomic_fetch_sub(&regions->total, size);
        return NULL;
    }
    map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        atomic_fetch_sub(&regions->total, size);
        return NULL;
    }
    start = (char *)(((uintptr_t)map + alignment - 1) & ~(alignment - 1));
    if (start > map)
        munmap(map, (size_t)(start - map));
    munmap(start + size, (size_t)(map + whole - (start + size)));
    for (size_t i = 0; i < LENGTH(regions->of); i++) {
        uintptr_t none = 0;

        if (atomic_compare_exchange_strong(&regions->of[i].address, &none, (uintptr_t)start)) {
            regions->of[i].size = size;
            memset(start, PATTERN, PAGE); /* "of any content" */
            return start;
        }
    }
    regions->errors++;
    return NULL;
}

static void regions_unmap(void *context, void *address, size_t size)
{
    struct recipe_regions *regions = context;

    for (size_t i = 0; i < LENGTH(regions->of); i++) {
        if (regions->of[i].address != (uintptr_t)address || regions->of[i].size != size)
            continue;
        regions->of[i].size = 0;
        munmap(address, size);
        regions->of[i].address = 0;
        atomic_fetch_sub(&regions->total, size);
        return;
    }
    regions->errors++; /* not as map() returned it */
}

static bool regions_cover(const struct recipe_regions *regions, uintptr_t address, size_t size)
{
    for (size_t i = 0; i < LENGTH(regions->of); i++) {
        uintptr_t start = regions->of[i].address;

        if (start && address >= start && address + size <= start + regions->of[i].size)
            return true;
    }
    return false;
}

static int regions_purge(void *context, void *address, size_t size)
{
    struct recipe_regions *regions = context;

    if (!regions_cover(regions, (uintptr_t)address, size) || (uintptr_t)address % PAGE ||
        size % PAGE)
        regions->errors++;
    return madvise(address, size, MADV_DONTNEED);
}

/* --- making and unmaking ---------------------------------------------------------------------- */

static int make_pmem(const struct recipe *recipe, memkind_t *kind)
{
    struct memkind_config *config;
    int code;

    if (!recipe->conservative)
        return memkind_create_pmem(recipe_directory(), recipe->limit, kind);
    config = memkind_config_new();
    if (!config)
        return MEMKIND_ERROR_MALLOC;
    memkind_config_set_path(config, recipe_directory());
    memkind_config_set_size(config, recipe->limit);
    memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
    code = memkind_create_pmem_with_config(config, kind);
    memkind_config_delete(config);
    return code;
}

static int make_custom(struct made *made)
{
    struct memkind_page_ops ops = {regions_map, regions_unmap,
                                   made->recipe->purge ? regions_purge : NULL};

    made->regions = mmap(NULL, sizeof *made->regions, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made->regions == MAP_FAILED)
        return MEMKIND_ERROR_MALLOC;
    made->regions->limit = made->recipe->limit;
    return memkind_create_custom(&ops, made->regions, &made->kind);
}

static int make(struct made *made)
{
    const struct recipe *recipe = made->recipe;
    memkind_bits_t flags = (memkind_bits_t)recipe->flags;

    switch (recipe->sort) {
    case RECIPE_STATIC:
        made->kind = *recipe->variable;
        return MEMKIND_SUCCESS;
    case RECIPE_NODES:
        return memkind_create_nodes("all", recipe->policy, flags, &made->kind);
    case RECIPE_PMEM:
        return make_pmem(recipe, &made->kind);
    case RECIPE_FIXED:
        if (!area_make(made))
            return MEMKIND_ERROR_MMAP;
        return memkind_create_fixed(made->area, made->area_size, &made->kind);
    case RECIPE_CUSTOM:
        return make_custom(made);
    }
    return MEMKIND_ERROR_INVALID;
}

void recipe_release(struct made *made)
{
    if (made->map && made->map != MAP_FAILED)
        munmap(made->map, made->map_size);
    if (made->regions && (void *)made->regions != MAP_FAILED)
        munmap(made->regions, sizeof *made->regions);
    memset(made, 0, sizeof *made);
}

int recipe_make(const struct recipe *recipe, struct made *made)
{
    int code;

    memset(made, 0, sizeof *made);
    made->recipe = recipe;
    code = make(made);
    if (code)
        recipe_release(made);
    return code;
}

const char *recipe_is_wrong(const struct made *made)
{
    if (made->area && !area_is_well(made))
        return "bytes outside the area were changed";
    if (made->regions && made->regions->errors)
        return "page functions were called with wrong arguments";
    if (made->regions && made->regions->total)
        return "regions were not unmapped";
    return NULL;
}

const char *recipe_unmake(struct made *made)
{
    const char *wrong;

    if (made->recipe->sort != RECIPE_STATIC && memkind_destroy_kind(made->kind))
        wrong = "destroy_kind failed";
    else
        wrong = recipe_is_wrong(made);
    recipe_release(made);
    return wrong;
}

bool recipe_covers(const struct made *made, const void *address)
{
    if (made->area)
        return (const char *)address >= made->area &&
               (const char *)address < made->area + made->area_size;
    if (made->regions)
        return regions_cover(made->regions, (uintptr_t)address, 1);
    return true;
}
