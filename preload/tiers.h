/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * tiers: what MEMKIND_MEM_TIERS and MEMKIND_MEM_THRESHOLDS say, made into tiers.
 *
 * The words are read where they stand, so that nothing is allocated for them. What is not accepted
 * is told, with the part of the variable in which it stands.
 *
 * Threads: one.
 */
#pragma once

#include <memkind_memtier.h>

#define TIERS "MEMKIND_MEM_TIERS"
#define TIERS_THRESHOLDS "MEMKIND_MEM_THRESHOLDS"
#define TIERS_ERROR "MEMKIND_MEM_TIERING_LOG_ERROR: "

/* `thresholds` may be NULL. NULL: something is not accepted. */
struct memtier_memory *tiers_make(const char *tiers, const char *thresholds);
