/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * config: the parameters of a file-backed kind, gathered before it is created.
 *
 * A config is a block of MEMKIND_DEFAULT; it keeps the caller's path pointer, as the reference
 * does. Used by one thread at a time.
 */
#include "frontend/config.h"

#include "frontend/export.h"

EXPORT struct memkind_config *memkind_config_new(void)
{
    return memkind_calloc(MEMKIND_DEFAULT, 1, sizeof(struct memkind_config));
}

EXPORT void memkind_config_delete(struct memkind_config *cfg)
{
    memkind_free(MEMKIND_DEFAULT, cfg);
}

EXPORT void memkind_config_set_path(struct memkind_config *cfg, const char *pmem_dir)
{
    if (cfg)
        cfg->directory = pmem_dir;
}

EXPORT void memkind_config_set_size(struct memkind_config *cfg, size_t pmem_size)
{
    if (cfg)
        cfg->limit = pmem_size;
}

EXPORT void memkind_config_set_memory_usage_policy(struct memkind_config *cfg,
                                                   memkind_mem_usage_policy policy)
{
    if (cfg)
        cfg->policy = policy;
}

EXPORT void memkind_config_set_core_dump(struct memkind_config *cfg, bool core_dump)
{
    if (cfg)
        cfg->no_core_dump = !core_dump;
}
