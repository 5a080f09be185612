/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * red_zone: bytes that nobody may write: around a block, and in one that is freed.
 *
 * A block has RED_ZONE bytes at the least on each side. Of a large one that is freed only the first
 * bytes are filled: no memory that the program never touched is to be taken from the system.
 *
 * Threads: any; the caller sees to it that the block stays.
 */
#pragma once

#include <stddef.h>

#define RED_ZONE ((size_t)32)

void red_zone_fill(char *block, size_t size);
/* The first byte of the red zones that was written; NULL: none. */
const char *red_zone_damage(const char *block, size_t size);

/* Likewise, where there is less room on one side. */
void red_zone_fill_part(char *zone, size_t size);
const char *red_zone_damage_part(const char *zone, size_t size);

void red_zone_fill_freed(char *block, size_t size);
const char *red_zone_damage_freed(const char *block, size_t size);
