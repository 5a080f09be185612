/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hbwmalloc: the functions of hbwmalloc.h, each a memkind call on the kind that the policy names.
 *
 * The policy is a number that is set once: by hbw_set_policy() or, to the default, by the first
 * allocation. From then on the kind for base pages is read from a pointer (hbw_kind.h).
 */
#include <hbwmalloc.h>
#include <memkind.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "frontend/export.h"
#include "frontend/hbw_kind.h"
#include "frontend/managers.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/residency.h"
#include "kinds/machine/selector.h"
#include "kinds/system/stack.h"

static atomic_int policy; /* 0: neither set nor used */

/* --- which kind ------------------------------------------------------------------------------- */

enum column { BASE, HUGE_2M, HUGE_1G, COLUMNS };

/* Pointers to the kind variables, by policy and page size; NULL: not supported. There is no kind of
 * 1 GiB pages on all nodes: the nearest ones are among them. */
static memkind_t *const kinds[][COLUMNS] = {
    [HBW_POLICY_BIND] = {&MEMKIND_HBW, &MEMKIND_HBW_HUGETLB, &MEMKIND_HBW_GBTLB},
    [HBW_POLICY_BIND_ALL] = {&MEMKIND_HBW_ALL, &MEMKIND_HBW_ALL_HUGETLB, &MEMKIND_HBW_GBTLB},
    [HBW_POLICY_PREFERRED] = {&MEMKIND_HBW_PREFERRED, &MEMKIND_HBW_PREFERRED_HUGETLB,
                              &MEMKIND_HBW_PREFERRED_GBTLB},
    [HBW_POLICY_INTERLEAVE] = {&MEMKIND_HBW_INTERLEAVE, NULL, NULL},
};

/* What PREFERRED means on a machine without high-bandwidth memory. */
static memkind_t *const ordinary[COLUMNS] = {&MEMKIND_DEFAULT, &MEMKIND_HUGETLB, &MEMKIND_GBTLB};

static int settle_policy(void)
{
    int unset = 0;

    return atomic_compare_exchange_strong(&policy, &unset, HBW_POLICY_PREFERRED)
               ? HBW_POLICY_PREFERRED
               : unset;
}

static memkind_t kind_for(enum column column)
{
    int settled = settle_policy();
    memkind_t *const *row = kinds[settled];

    if (!row[column])
        return NULL;
    if (settled == HBW_POLICY_PREFERRED && memkind_check_available(MEMKIND_HBW_PREFERRED))
        row = ordinary;
    return *row[column];
}

static __attribute__((cold, noinline)) memkind_t decide_base_kind(void)
{
    unsigned changes;
    memkind_t kind;

    if (!managers_enter())
        return MEMKIND_DEFAULT; /* called from within the question below: the reserve serves it */
    managers_leave();
    changes = hbw_kind_changes();
    kind = kind_for(BASE);
    hbw_kind_decide(kind, changes);
    return kind;
}

/* For HBW_PAGESIZE_4KB. */
static inline memkind_t kind_of_base_pages(void)
{
    memkind_t kind = atomic_load_explicit(&hbw_kind_decided, memory_order_relaxed);

    return likely(kind != NULL) ? kind : decide_base_kind();
}

EXPORT hbw_policy_t hbw_get_policy(void)
{
    int set = atomic_load(&policy);

    return set ? (hbw_policy_t)set : HBW_POLICY_PREFERRED;
}

EXPORT int hbw_set_policy(hbw_policy_t mode)
{
    int unset = 0;

    if (mode < HBW_POLICY_BIND || mode > HBW_POLICY_BIND_ALL)
        return EINVAL;
    if (atomic_compare_exchange_strong(&policy, &unset, (int)mode))
        return 0;
    return unset == (int)mode ? 0 : EPERM;
}

/* --- allocation ------------------------------------------------------------------------------- */

EXPORT void *hbw_malloc(size_t size)
{
    return memkind_malloc(kind_of_base_pages(), size);
}

EXPORT void *hbw_calloc(size_t num, size_t size)
{
    return memkind_calloc(kind_of_base_pages(), num, size);
}

/* The block stays in its own kind, whatever page size it was asked for with. */
EXPORT void *hbw_realloc(void *ptr, size_t size)
{
    return ptr ? memkind_realloc(NULL, ptr, size) : hbw_malloc(size);
}

EXPORT void hbw_free(void *ptr)
{
    memkind_free(NULL, ptr);
}

EXPORT size_t hbw_malloc_usable_size(void *ptr)
{
    return memkind_malloc_usable_size(NULL, ptr);
}

EXPORT int hbw_posix_memalign(void **memptr, size_t alignment, size_t size)
{
    return hbw_posix_memalign_psize(memptr, alignment, size, HBW_PAGESIZE_4KB);
}

EXPORT int hbw_posix_memalign_psize(void **memptr, size_t alignment, size_t size,
                                    hbw_pagesize_t pagesize)
{
    static const enum column columns[] = {
        [HBW_PAGESIZE_4KB] = BASE,
        [HBW_PAGESIZE_2MB] = HUGE_2M,
        [HBW_PAGESIZE_1GB_STRICT] = HUGE_1G,
        [HBW_PAGESIZE_1GB] = HUGE_1G,
    };
    memkind_t kind;

    if (pagesize < HBW_PAGESIZE_4KB || pagesize >= HBW_PAGESIZE_MAX_VALUE)
        return EINVAL;
    if (pagesize == HBW_PAGESIZE_1GB_STRICT && size % PAGE_SIZE_1G)
        return EINVAL;
    kind = pagesize == HBW_PAGESIZE_4KB ? kind_of_base_pages() : kind_for(columns[pagesize]);
    if (!kind)
        return EINVAL;
    return memkind_posix_memalign(kind, memptr, alignment, size);
}

/* --- questions -------------------------------------------------------------------------------- */

EXPORT int hbw_check_available(void)
{
    return memkind_check_available(MEMKIND_HBW_ALL) ? ENODEV : 0;
}

struct verification {
    void *address;
    size_t size;
    bool touch;
    enum residency residency;
};

static void verify_on_stack(void *argument)
{
    struct verification *asked = argument;
    struct node_answer hbw;

    facts_begin(FACTS_OUTSIDE);
    selector_answer(SELECT_HBW_ALL, NULL, 0, &hbw);
    facts_end(FACTS_OUTSIDE);
    asked->residency = residency_check(asked->address, asked->size, &hbw.nodes, asked->touch);
}

EXPORT int hbw_verify_memory_region(void *addr, size_t size, int flags)
{
    struct verification asked = {addr, size, flags & HBW_TOUCH_PAGES, RESIDENCY_ELSEWHERE};

    if (!addr || !size || flags & ~HBW_TOUCH_PAGES || (uintptr_t)addr + size < (uintptr_t)addr)
        return EINVAL;
    if (!managers_enter())
        return EFAULT;
    stack_run(verify_on_stack, &asked);
    managers_leave();
    switch (asked.residency) {
    case RESIDENCY_ALL:
        return 0;
    case RESIDENCY_ELSEWHERE:
        return -1;
    default:
        return EFAULT;
    }
}
