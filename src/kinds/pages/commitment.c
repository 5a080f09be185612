/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see commitment.h. */
#include "kinds/pages/commitment.h"

#include <pthread.h>
#include <stdint.h>

#include "kinds/machine/topology.h"
#include "kinds/pages/page_region.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/memory_cgroup.h"
#include "kinds/system/os.h"
#include "kinds/system/sysfs.h"

#define TRUSTED_PART 8 /* of the room that there was */
#define ROOM_UNKNOWN UINT64_MAX
#define COUNTED_PART 64 /* of the pages that a count looks at: so much has to have happened */
#define SPARED_PART 64  /* of a node's memory: page tables, other processes, lists of each CPU */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, page_commitment) watched; /* guarded by lock */

/* --- room on nodes ---------------------------------------------------------------------------- */

/* Bytes that a process can have on a node before the kernel starts to kill. Without an answer (no
 * descriptor left, a sandbox) nothing is refused. */
static uint64_t room_of(unsigned node, uint64_t watermarks, uint64_t memory_of_all)
{
    char meminfo[4096];
    uint64_t memory, room, spared;

    if (sysfs_read(meminfo, sizeof meminfo, SYSFS_NODES "/node%u/meminfo", node) < 0)
        return ROOM_UNKNOWN;
    memory = sysfs_meminfo_value(meminfo, "MemTotal:");
    /* What the kernel can drop at once. */
    room = sysfs_meminfo_value(meminfo, "MemFree:") +
           sysfs_meminfo_value(meminfo, "Active(file):") +
           sysfs_meminfo_value(meminfo, "Inactive(file):");
    spared = memory / SPARED_PART;
    if (memory_of_all)
        spared += (uint64_t)((double)watermarks * ((double)memory / (double)memory_of_all));
    return room > spared ? room - spared : 0;
}

static uint64_t room_on(const struct nodemask *nodes)
{
    const struct topology *topology = topology_get();
    uint64_t memory_of_all = 0, room = 0;
    /* Each zone has its part of them, by size; reclaim stops at half as much again. */
    uint64_t watermarks = os_min_free() / 2 * 3;

    nodemask_for_each (node, &topology->online)
        memory_of_all += topology->memory[node];
    nodemask_for_each (node, nodes) {
        uint64_t here = room_of((unsigned)node, watermarks, memory_of_all);

        if (here == ROOM_UNKNOWN)
            return ROOM_UNKNOWN;
        room += here;
    }
    return room + os_free_swap();
}

/* --- what is promised: all of this section with the lock -------------------------------------- */

static bool nodes_meet(const struct nodemask *a, const struct nodemask *b)
{
    struct nodemask both = *a;

    nodemask_and(&both, b);
    return !nodemask_empty(&both);
}

/* `nodes` NULL: of the process. */
static bool is_on(const struct page_commitment *its, const struct nodemask *nodes)
{
    return !nodes || nodes_meet(&its->nodes, nodes);
}

/* Bytes there that may yet be touched, or mapped without a look at the nodes. `distrust`: nobody is
 * trusted any more. */
static uint64_t promised_on(const struct nodemask *nodes, bool distrust)
{
    uint64_t promised = 0;
    long now = os_seconds();
    struct page_commitment *its;

    LIST_FOREACH (its, &watched, entry) {
        if (!is_on(its, nodes))
            continue;
        if (distrust || its->second != now)
            its->trusted = 0;
        promised += its->untouched + its->coming + its->trusted;
    }
    return promised;
}

/* Bytes of the process that are in memory or swapped out. 0: it cannot be said. */
static size_t backed_now(void)
{
    char text[4096];

    if (os_read_file("/proc/self/status", text, sizeof text) < 0)
        return 0;
    return sysfs_meminfo_value(text, "VmRSS:") + sysfs_meminfo_value(text, "VmSwap:");
}

/*
 * A count looks at every page there is, and finds what was touched since the last one. That made
 * the process larger, in memory or swap space, unless as much went back; so if less happened than a
 * part of what a count looks at, there is none: where room is tight, every region would pay for
 * all. What other memory of the process hides by going back is found in the next second.
 */
static bool is_count_worth(const struct nodemask *nodes, size_t backed)
{
    size_t pages = 0, changed = 0, least = backed;
    const struct page_commitment *its;
    long now = os_seconds();

    LIST_FOREACH (its, &watched, entry) {
        size_t mapped = page_regions_mapped(its->regions);

        if (!is_on(its, nodes) || !its->untouched)
            continue;
        if (its->counted_in && its->counted_in != now)
            return true;
        pages += mapped;
        changed += its->changed;
        if (its->counted + its->added > mapped) /* the rest was unmapped */
            changed += its->counted + its->added - mapped;
        if (its->counted_in && its->backed < least)
            least = its->backed;
    }
    return !backed || changed + (backed - least) >= pages / COUNTED_PART;
}

static void count_on(const struct nodemask *nodes, size_t backed)
{
    struct page_commitment *its;

    LIST_FOREACH (its, &watched, entry) {
        if (!is_on(its, nodes) || !its->untouched)
            continue;
        its->untouched = page_regions_untouched(its->regions);
        its->counted = page_regions_mapped(its->regions);
        its->added = its->changed = 0;
        its->backed = backed;
        its->counted_in = os_seconds();
    }
}

static bool leaves_room(uint64_t room, uint64_t promised, size_t size)
{
    return room >= promised && room - promised >= size;
}

/* Whether so much fits into the room there is. *spare: no more than what is left then; if it does
 * not fit, than what there is. */
static bool fits(uint64_t room, const struct nodemask *nodes, size_t size, uint64_t *spare)
{
    uint64_t promised;

    if (room < size) { /* as usual on full nodes: pages need no look */
        *spare = room;
        return false;
    }
    promised = promised_on(nodes, false);
    if (!leaves_room(room, promised, size))
        promised = promised_on(nodes, true);
    if (!leaves_room(room, promised, size)) {
        size_t backed = backed_now();

        if (is_count_worth(nodes, backed)) {
            count_on(nodes, backed);
            promised = promised_on(nodes, true);
        }
    }
    if (!leaves_room(room, promised, size)) {
        *spare = room < promised ? 0 : room - promised;
        return false;
    }
    if (room - promised - size < *spare)
        *spare = room - promised - size;
    return true;
}

/* False: *room bytes is what there is. */
static bool has_room(struct page_commitment *commitment, const struct nodemask *nodes, size_t size,
                     uint64_t *room)
{
    uint64_t spare = UINT64_MAX;

    *room = 0;
    if (commitment->trusted >= size && commitment->second == os_seconds()) {
        commitment->trusted -= size;
        return true;
    }
    commitment->trusted = 0;
    if ((nodes && !fits(room_on(nodes), nodes, size, &spare)) ||
        (memory_cgroup_is_limited() && !fits(memory_cgroup_room(), NULL, size, &spare))) {
        *room = spare;
        return false;
    }
    commitment->trusted = spare / TRUSTED_PART;
    commitment->second = os_seconds();
    return true;
}

/* --- pools ------------------------------------------------------------------------------------ */

bool commitment_watches(const struct nodemask *nodes)
{
    return !nodemask_subset(&topology_get()->with_memory, nodes);
}

bool commitment_make(struct page_commitment *commitment, struct page_regions *regions,
                     const struct nodemask *nodes, size_t size)
{
    uint64_t room;
    bool well;

    pthread_mutex_lock(&lock);
    if (!commitment->watched) {
        LIST_INSERT_HEAD(&watched, commitment, entry);
        commitment->regions = regions;
        commitment->watched = true;
    }
    if (nodes)
        nodemask_or(&commitment->nodes, nodes);
    well = has_room(commitment, nodes, size, &room);
    if (well)
        commitment->coming += size;
    pthread_mutex_unlock(&lock);
    if (!well)
        callbacks->log("%s: another %zu bytes are too many: %s room for %zu", regions->name, size,
                       nodes ? "its nodes, and the memory cgroup's limit, have"
                             : "the memory cgroup's limit leaves",
                       (size_t)room);
    return well;
}

void commitment_done(struct page_commitment *commitment, size_t size, bool mapped)
{
    pthread_mutex_lock(&lock);
    commitment->coming -= size;
    if (mapped) {
        commitment->untouched += size;
        commitment->added += size;
        commitment->changed += size;
    }
    pthread_mutex_unlock(&lock);
}

void commitment_purged(struct page_commitment *commitment, size_t size)
{
    pthread_mutex_lock(&lock);
    if (commitment->watched) {
        commitment->untouched += size;
        commitment->changed += size;
    }
    pthread_mutex_unlock(&lock);
}

void commitment_end(struct page_commitment *commitment)
{
    pthread_mutex_lock(&lock);
    if (commitment->watched)
        LIST_REMOVE(commitment, entry);
    pthread_mutex_unlock(&lock);
}

void commitment_prefork(void)
{
    pthread_mutex_lock(&lock);
}

/* What a parent's threads were about to map does not come in the child. */
void commitment_postfork(bool child)
{
    struct page_commitment *its;

    if (child)
        LIST_FOREACH (its, &watched, entry)
            its->coming = 0;
    pthread_mutex_unlock(&lock);
}
