/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see sites.h. */
#include "sites.h"

#include <string.h>

/* --- the table -------------------------------------------------------------------------------- */

static uint64_t hash_of(const uintptr_t *frames, size_t count, unsigned kind)
{
    uint64_t hash = kind + 1;

    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ frames[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static bool is(const struct site *site, uint64_t hash, const uintptr_t *frames, size_t count,
               unsigned kind)
{
    return site->hash == hash && site->kind == kind && site->frame_count == count &&
           memcmp(site->frames, frames, count * sizeof *frames) == 0;
}

size_t sites_find(struct sites *sites, const uintptr_t *frames, size_t count, unsigned kind)
{
    uint64_t hash = hash_of(frames, count, kind);
    size_t slots = sizeof sites->index / sizeof sites->index[0], slot = hash % slots;
    struct site *site;

    if (!sites->count)
        sites->count = 1;
    while (sites->index[slot]) {
        if (is(&sites->site[sites->index[slot]], hash, frames, count, kind))
            return sites->index[slot];
        slot = (slot + 1) % slots;
    }
    if (sites->count == SITES)
        return 0;
    site = &sites->site[sites->count];
    site->hash = hash;
    site->kind = kind;
    site->frame_count = (unsigned)count;
    memcpy(site->frames, frames, count * sizeof *frames);
    sites->index[slot] = (uint32_t)sites->count;
    return sites->count++;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* All sites are looked at, so a peak is noted if it is one part in 256 above the last one. */
void sites_note_peak(struct sites *sites)
{
    if (!sites->at_peak)
        return;
    sites->at_peak = false;
    if (sites->peak_noted > 0 && sites->live < sites->peak_noted * (1 + 1.0 / 256))
        return;
    sites->peak_noted = sites->live;
    for (size_t i = 0; i < sites->count; i++)
        sites->site[i].at_peak = sites->site[i].live;
}

static unsigned size_class(size_t size)
{
    unsigned class = size > 1 ? 64 - (unsigned)__builtin_clzl(size - 1) : 0;

    return class < SITES_SIZES ? class : SITES_SIZES - 1;
}

static unsigned lifetime_class(uint64_t lifetime)
{
    unsigned class = 0;

    for (uint64_t most = 1000; lifetime > most && class < SITES_LIFETIMES - 1; most *= 10)
        class ++;
    return class;
}

void sites_add(struct sites *sites, size_t number, size_t size, double weight)
{
    struct site *site = &sites->site[number];
    double bytes = weight * (double)size;

    if (!site->samples++ || size < site->size_least)
        site->size_least = size;
    if (size > site->size_most)
        site->size_most = size;
    site->sizes[size_class(size)] += weight;
    site->calls += weight;
    site->bytes += bytes;
    site->live_calls += weight;
    site->live += bytes;
    if (site->live > site->peak)
        site->peak = site->live;
    sites->live += bytes;
    if (sites->live > sites->peak) {
        sites->peak = sites->live;
        sites->at_peak = true;
    }
}

void sites_remove(struct sites *sites, size_t number, size_t size, double weight, uint64_t lifetime)
{
    struct site *site = &sites->site[number];
    double bytes = weight * (double)size;

    sites_note_peak(sites);
    if (site->freed <= 0 || lifetime < site->lifetime_least)
        site->lifetime_least = lifetime;
    if (lifetime > site->lifetime_most)
        site->lifetime_most = lifetime;
    site->lifetimes[lifetime_class(lifetime)] += weight;
    site->lifetime_sum += weight * (double)lifetime;
    site->freed += weight;
    site->live_calls -= weight;
    site->live -= bytes;
    sites->live -= bytes;
}
