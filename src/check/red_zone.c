/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see red_zone.h. */
#include "check/red_zone.h"

#include <string.h>

#define ZONE_BYTE 0xfb  /* no text, no small number, no address */
#define FREED_BYTE 0xdf /* eight of them are no address of a program */
#define FREED_MOST ((size_t)64 << 10)

static const char *other_than(const char *bytes, size_t size, unsigned char byte)
{
    if (!bytes || !size ||
        ((unsigned char)bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0))
        return NULL; /* fast: all of them are equal */
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] != byte)
            return bytes + i;
    return NULL;
}

static size_t filled(size_t size)
{
    return size < FREED_MOST ? size : FREED_MOST;
}

void red_zone_fill_part(char *zone, size_t size)
{
    memset(zone, ZONE_BYTE, size);
}

const char *red_zone_damage_part(const char *zone, size_t size)
{
    return other_than(zone, size, ZONE_BYTE);
}

void red_zone_fill(char *block, size_t size)
{
    red_zone_fill_part(block - RED_ZONE, RED_ZONE);
    red_zone_fill_part(block + size, RED_ZONE);
}

const char *red_zone_damage(const char *block, size_t size)
{
    const char *damage = red_zone_damage_part(block + size, RED_ZONE);

    return damage ? damage : red_zone_damage_part(block - RED_ZONE, RED_ZONE);
}

void red_zone_fill_freed(char *block, size_t size)
{
    memset(block, FREED_BYTE, filled(size));
}

const char *red_zone_damage_freed(const char *block, size_t size)
{
    return other_than(block, filled(size), FREED_BYTE);
}
