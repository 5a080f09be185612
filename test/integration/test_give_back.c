/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_give_back: the system refuses to take memory back. Nothing is lost: pages go back as far as
 * they can, what is left is counted and used again, and goes as soon as the system takes it.
 *
 * The calls of os.h are refused from here: munmap(2) as at vm.max_map_count, madvise(2) and
 * fallocate(2) as in a sandbox, and mmap(2) for the library's own records.
 */
#include "support.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "kinds/pages/pool.h"
#include "kinds/pages/source_file.h"
#include "kinds/pages/source_fixed.h"
#include "kinds/system/leftover.h"
#include "mounts.h"

#define BLOCKS 4
#define BLOCK (40 * MIB)
#define PAGE ((size_t)4096)
#define SMALL_AREA (16 * MIB)

static atomic_bool unmap_refused, discard_refused, map_refused;

/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_os_unmap(void *address, size_t size);
int __wrap_os_unmap(void *address, size_t size);
int __real_os_discard(void *address, size_t size);
int __wrap_os_discard(void *address, size_t size);
void *__real_os_map(size_t size, size_t alignment);
void *__wrap_os_map(size_t size, size_t alignment);

int __wrap_os_unmap(void *address, size_t size)
{
    return unmap_refused ? ENOMEM : __real_os_unmap(address, size);
}

int __wrap_os_discard(void *address, size_t size)
{
    return discard_refused ? EPERM : __real_os_discard(address, size);
}

void *__wrap_os_map(size_t size, size_t alignment)
{
    if (!map_refused)
        return __real_os_map(size, alignment);
    errno = ENOMEM;
    return NULL;
}
/* NOLINTEND(bugprone-reserved-identifier) */

TestSuite(give_back, .init = test_bare, .timeout = 60);

static memkind_t create(void)
{
    memkind_t kind;

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), 0);
    return kind;
}

static void fill(memkind_t kind, unsigned char *block[BLOCKS])
{
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = memkind_malloc(kind, BLOCK);
        cr_assert(block[i]);
        memset(block[i], 1, BLOCK);
    }
}

static void empty(memkind_t kind, unsigned char *block[BLOCKS])
{
    for (int i = 0; i < BLOCKS; i++)
        memkind_free(kind, block[i]);
    test_decay(kind);
}

/* The pages go back in place, and the addresses serve the next blocks. */
Test(give_back, what_cannot_be_unmapped_is_used_again)
{
    memkind_t kind = create();
    unsigned char *block[BLOCKS];
    size_t space;

    fill(kind, block);
    space = test_virtual();
    unmap_refused = true;
    for (int round = 0; round < 3; round++) {
        empty(kind, block);
        cr_expect_lt(test_kind_resident(kind), BLOCK, "%zu MiB counted",
                     test_kind_resident(kind) / MIB);
        cr_expect(TEST_SANITIZED || test_resident() < 3 * BLOCK, "%zu MiB", test_resident() / MIB);
        fill(kind, block);
        cr_expect(TEST_SANITIZED || test_virtual() < space + 2 * BLOCK, "%zu MiB more addresses",
                  (test_virtual() - space) / MIB);
    }
    empty(kind, block);
    unmap_refused = false;
    cr_expect_eq(memkind_destroy_kind(kind), 0);
    cr_expect(TEST_SANITIZED || test_virtual() < space - (BLOCKS - 2) * BLOCK,
              "the addresses stay");
}

/* Of the kind nobody is left to use them. */
Test(give_back, pages_of_a_destroyed_kind_go_back)
{
    memkind_t kind = create();
    unsigned char *block[BLOCKS];

    fill(kind, block);
    unmap_refused = true;
    cr_expect_eq(memkind_destroy_kind(kind), 0);
    cr_expect_geq(leftover_size(), BLOCKS * BLOCK);
    cr_expect(TEST_SANITIZED || test_resident() < 2 * BLOCK, "%zu MiB", test_resident() / MIB);
    unmap_refused = false;
    cr_expect_eq(memkind_destroy_kind(create()), 0);
    cr_expect_eq(leftover_size(), 0);
}

/* Nor can they be given back in place: then they count, and are used again. */
Test(give_back, what_cannot_go_at_all_is_used_again)
{
    memkind_t kind = create();
    unsigned char *block[BLOCKS];
    size_t space;

    fill(kind, block);
    space = test_virtual();
    unmap_refused = discard_refused = true;
    for (int round = 0; round < 3; round++) {
        empty(kind, block);
        cr_expect(!test_tbb() || test_kind_resident(kind) >= BLOCKS * BLOCK, "not counted");
        fill(kind, block);
        cr_expect(TEST_SANITIZED || test_virtual() < space + 2 * BLOCK, "%zu MiB more addresses",
                  (test_virtual() - space) / MIB);
    }
    unmap_refused = discard_refused = false;
    empty(kind, block);
    test_jump(2 * POOL_DECAY_SECONDS);
    test_decay(kind);
    cr_expect_lt(test_kind_resident(kind), BLOCK);
    cr_expect_eq(memkind_destroy_kind(kind), 0);
}

/* The windows stay mapped, and keep the file; its space goes back. */
Test(give_back, space_of_a_destroyed_file_goes_back)
{
    memkind_t kind;
    void *block;

    mounts_begin();
    mounts_mount(&mounts_tmpfs, 64 * MIB);
    kind = mounts_create(0);
    block = memkind_malloc(kind, 16 * MIB);
    cr_assert(block);
    cr_expect_geq(mounts_used(), 16 * MIB);
    unmap_refused = true;
    cr_expect_eq(memkind_destroy_kind(kind), 0);
    cr_expect_lt(mounts_used(), MIB, "%zu KiB", mounts_used() / KIB);
    unmap_refused = false;
    cr_expect_eq(memkind_destroy_kind(mounts_create(0)), 0);
    mounts_unmount();
    mounts_end();
}

/* Every second page comes back while there is no memory for records of free ranges. Those that
 * cannot be noted are still the caller's, and can be given back later. */
static void give_back_without_records(struct page_pool *pool)
{
    static void *page[SMALL_AREA / PAGE];
    size_t count = 0, refused = 0;
    bool zeroed;

    while (count < LENGTH(page) && (page[count] = pool_map(pool, 0, PAGE, PAGE, &zeroed)))
        count++;
    cr_assert_geq(count, LENGTH(page) - 1);
    map_refused = true;
    for (size_t i = 0; i < count; i += 2)
        if (pool_unmap(pool, page[i], PAGE))
            page[i] = NULL;
        else
            refused++;
    map_refused = false;
    cr_expect_gt(refused, 0);
    cr_expect_eq(pool_mapped(pool), (count / 2 + refused) * PAGE);
    for (size_t i = 0; i < count; i++)
        cr_expect(!page[i] || pool_unmap(pool, page[i], PAGE));
    cr_expect_eq(pool_mapped(pool), 0);
    cr_expect(pool_map(pool, 0, count * PAGE, PAGE, &zeroed), "some pages are lost");
}

Test(give_back, pages_of_an_area_that_cannot_be_noted)
{
    static struct page_pool pool;
    const struct source_fixed_request request = {
        .address =
            mmap(NULL, SMALL_AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        .size = SMALL_AREA};
    const struct page_setup setup = {
        .kind = &page_kind_fixed, .source = &page_source_fixed, .request = &request};

    cr_assert_eq(pool_open(&pool, &setup), 0);
    give_back_without_records(&pool);
    pool_close(&pool);
}

Test(give_back, pages_of_a_file_that_cannot_be_noted)
{
    static struct page_pool pool;
    const struct source_file_request request = {.directory = "/dev/shm", .limit = SMALL_AREA};
    const struct page_setup setup = {
        .kind = &page_kind_file, .source = &page_source_file, .request = &request};

    cr_assert_eq(pool_open(&pool, &setup), 0);
    give_back_without_records(&pool);
    pool_close(&pool);
}
