/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * kind: the functions of memkind.h that create, destroy and describe kinds, and the library-wide
 * ones. Not on anybody's hot path. Any thread, except destroying a kind in use.
 */
#include <memkind.h>

#include "frontend/export.h"
#include "frontend/log.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "frontend/version.h"

EXPORT int memkind_get_version(void)
{
    return MEMKIND_VERSION_NUMBER;
}

/* --- create and destroy -------------------------------------------------------------------------
 */

static int create(const struct page_kind *row, memkind_t *kind)
{
    char why[160];
    int error;

    if (managers_arenas_rejected())
        return MEMKIND_ERROR_ENVIRON;
    error = page_kind_check(row, why, sizeof why);
    /* Huge pages may be reserved later: until then the kind has no memory, which is no error. */
    if (error && error != MEMKIND_ERROR_HUGETLB) {
        log_debug("kind %s not created: %s", row->name, why);
        return error;
    }
    return registry_create(row, kind);
}

EXPORT int memkind_create_kind(memkind_memtype_t memtype_flags, memkind_policy_t policy,
                               memkind_bits_t flags, memkind_t *kind)
{
    const struct page_kind *row = page_kind_created(memtype_flags, policy, flags);
    int error;

    if (!row || !kind)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = create(row, kind);
    managers_leave();
    return error;
}

EXPORT int memkind_destroy_kind(memkind_t kind)
{
    return registry_destroy(kind);
}

EXPORT int memkind_get_kind_by_partition(int partition, memkind_t *kind)
{
    /* The static kinds stand in the registry in the order of their partition numbers. */
    if (!kind)
        return MEMKIND_ERROR_INVALID;
    if (partition < 0 || partition >= MEMKIND_NUM_BASE_KIND)
        return MEMKIND_ERROR_UNAVAILABLE;
    *kind = MEMKIND_DEFAULT + partition;
    return MEMKIND_SUCCESS;
}

/* --- not there yet ------------------------------------------------------------------------------
 */

static int not_yet(const char *function)
{
    if (managers_enter()) {
        log_debug("%s: not in this version", function);
        managers_leave();
    }
    return MEMKIND_ERROR_OPERATION_FAILED;
}

EXPORT int memkind_create_pmem(const char *dir, size_t max_size, memkind_t *kind)
{
    (void)max_size;
    return dir && kind ? not_yet("memkind_create_pmem") : MEMKIND_ERROR_INVALID;
}

EXPORT int memkind_create_pmem_with_config(struct memkind_config *cfg, memkind_t *kind)
{
    return cfg && kind ? not_yet("memkind_create_pmem_with_config") : MEMKIND_ERROR_INVALID;
}

EXPORT int memkind_create_fixed(void *addr, size_t size, memkind_t *kind)
{
    (void)size;
    return addr && kind ? not_yet("memkind_create_fixed") : MEMKIND_ERROR_INVALID;
}

EXPORT int memkind_check_dax_path(const char *pmem_dir)
{
    return pmem_dir ? not_yet("memkind_check_dax_path") : MEMKIND_ERROR_INVALID;
}

EXPORT int memkind_stats_print(void (*write_cb)(void *, const char *), void *cbopaque,
                               memkind_stat_print_opt opts)
{
    (void)write_cb, (void)cbopaque, (void)opts;
    return not_yet("memkind_stats_print");
}

/* --- questions ----------------------------------------------------------------------------------
 */

EXPORT int memkind_check_available(memkind_t kind)
{
    const struct page_kind *row = registry_row(kind);
    char why[160];
    int error;

    if (!row)
        return MEMKIND_ERROR_INVALID;
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = page_kind_check(row, why, sizeof why);
    if (error)
        log_debug("%s is unavailable: %s", row->name, why);
    managers_leave();
    return error;
}

EXPORT ssize_t memkind_get_capacity(memkind_t kind)
{
    const struct page_kind *row = registry_row(kind);
    ssize_t capacity;

    if (!row || !managers_enter())
        return -1;
    capacity = page_kind_capacity(row);
    managers_leave();
    return capacity;
}

/* --- statistics and background threads ----------------------------------------------------------
 */

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
        *value = 0; /* never used: holds nothing */
        return MEMKIND_SUCCESS;
    }
    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = managers_get()->stat(kind ? &kind->heap : NULL, stat, value);
    managers_leave();
    return error;
}

EXPORT int memkind_set_bg_threads(bool state)
{
    int error;

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    error = managers_get()->background_threads(state);
    managers_leave();
    return error;
}
