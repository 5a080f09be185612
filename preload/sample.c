/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see sample.h. */
#include "sample.h"

#include <memkind.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "blocks.h"
#include "poisson.h"
#include "settings.h"
#include "sites.h"
#include "stacks.h"
#include "timeline.h"

__thread int64_t sample_left;
_Atomic(uint16_t) sample_filter[SAMPLE_FILTER];

/* What a thread has of its own. */
static __thread struct {
    uint64_t generator; /* 0: it has none yet */
    bool busy;          /* it is in here */
} self __attribute__((tls_model("initial-exec")));

/* Only pages that are used take memory. */
struct tables {
    struct sites sites;
    struct blocks blocks;
    struct timeline timeline;
};

static struct tables *tables;
static struct profile profile;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*tell_started)(void);
static atomic_bool sampling; /* libc has started, and the profile has not ended */
static atomic_ulong threads;

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* --- the life of a profile -------------------------------------------------------------------- */

/* No sampled block comes or goes during a fork, so that the child finds whole tables, and empties
 * them. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
    madvise(tables, sizeof *tables, MADV_DONTNEED);
    memset(sample_filter, 0, sizeof sample_filter);
    profile.lost = 0;
    profile.begun = now();
    pthread_mutex_unlock(&lock);
}

/* Both have to be: a profile, and libc. */
static void start_sampling(void)
{
    self.busy = true;
    if (!pthread_atfork(before_fork, after_fork, in_child)) {
        atomic_store(&sampling, true);
        tell_started();
    }
    self.busy = false;
}

static volatile bool libc_has_started; /* volatile, else Clang does the constructor's work itself */

__attribute__((constructor)) static void note_libc(void)
{
    libc_has_started = true;
    if (tables)
        start_sampling();
}

bool sample_begin(size_t rate, void (*started)(void))
{
    void *memory = mmap(NULL, sizeof *tables, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    tables = memory;
    tell_started = started;
    profile = (struct profile){.rate = rate,
                               .begun = now(),
                               .sites = &tables->sites,
                               .blocks = &tables->blocks,
                               .timeline = &tables->timeline};
    if (libc_has_started)
        start_sampling();
    return true;
}

const struct profile *sample_end(void)
{
    if (!tables)
        return NULL;
    atomic_store(&sampling, false);
    pthread_mutex_lock(&lock);
    profile.ended = now();
    sites_note_peak(profile.sites);
    timeline_end(profile.timeline, profile.sites, profile.ended);
    pthread_mutex_unlock(&lock);
    return &profile;
}

/* --- blocks that come ------------------------------------------------------------------------- */

/* Of the block's bytes, those before the one that was drawn have been counted, those behind it
 * not: the next distance begins at its end, since a distance has no memory. The first block of a
 * thread comes here in any case. */
static bool is_drawn(size_t size)
{
    if (!self.generator) {
        self.generator = poisson_seed(atomic_fetch_add(&threads, 1) + 1);
        sample_left = poisson_draw(&self.generator, profile.rate);
        if (size < (size_t)sample_left) {
            sample_left -= (int64_t)size;
            return false;
        }
    }
    sample_left = poisson_draw(&self.generator, profile.rate);
    return true;
}

/* Others may be on their way here when it ends. */
static bool enter(void)
{
    pthread_mutex_lock(&lock);
    if (atomic_load_explicit(&sampling, memory_order_relaxed))
        return true;
    pthread_mutex_unlock(&lock);
    return false;
}

static bool take_block(uintptr_t address, struct block *taken)
{
    if (!blocks_take(profile.blocks, address, taken))
        return false;
    atomic_fetch_sub_explicit(&sample_filter[sample_hash((void *)address)], 1,
                              memory_order_relaxed);
    return true;
}

static void forget(struct block *block, uint64_t time)
{
    block->died = time;
    sites_remove(profile.sites, block->site, block->size, block->weight, time - block->born);
    blocks_keep(profile.blocks, block);
}

static void add_locked(struct block *block, const uintptr_t *frames, size_t count, unsigned kind)
{
    struct block old;

    timeline_note(profile.timeline, profile.sites, block->born);
    /* It went on a way that was not seen: in a signal handler, or past malloc's family. */
    if (take_block(block->address, &old))
        forget(&old, block->born);
    block->site = (uint32_t)sites_find(profile.sites, frames, count, kind);
    if (!blocks_add(profile.blocks, block)) {
        profile.lost++;
        return;
    }
    sites_add(profile.sites, block->site, block->size, block->weight);
    atomic_fetch_add_explicit(&sample_filter[sample_hash((void *)block->address)], 1,
                              memory_order_relaxed);
}

void sample_take(void *memory, size_t size)
{
    struct block block = {.address = (uintptr_t)memory, .size = size};
    uintptr_t frames[STACKS_FRAMES];
    int error = errno;
    unsigned kind;
    size_t count;

    if (self.busy || !atomic_load_explicit(&sampling, memory_order_acquire) || !is_drawn(size))
        return;
    self.busy = true;
    count = stacks_take(frames);
    kind = settings_number(memkind_detect_kind(memory));
    block.weight = poisson_weight(size, profile.rate);
    if (enter()) {
        block.born = now();
        add_locked(&block, frames, count, kind);
        pthread_mutex_unlock(&lock);
    }
    self.busy = false;
    errno = error;
}

/* --- blocks that go --------------------------------------------------------------------------- */

static void drop_locked(uintptr_t address)
{
    uint64_t time = now();
    struct block block;

    timeline_note(profile.timeline, profile.sites, time);
    if (take_block(address, &block))
        forget(&block, time);
}

void sample_drop(void *memory)
{
    int error = errno;

    if (self.busy)
        return;
    self.busy = true;
    if (enter()) {
        drop_locked((uintptr_t)memory);
        pthread_mutex_unlock(&lock);
    }
    self.busy = false;
    errno = error;
}

/* --- blocks that are used --------------------------------------------------------------------- */

size_t sample_areas(struct sample_area *areas, size_t most, size_t least)
{
    size_t count = 0;

    if (!enter())
        return 0;
    for (size_t i = 0; i < BLOCKS_SLOTS && count < most; i++) {
        const struct block *block = &profile.blocks->slot[i];

        if (block->address && block->size >= least)
            areas[count++] = (struct sample_area){block->address, block->size, block->born};
    }
    pthread_mutex_unlock(&lock);
    return count;
}

/* A sampled block stands for others, which are used as much as it is. */
void sample_accessed(const struct sample_area *area, size_t accesses)
{
    struct block *block;

    if (!enter())
        return;
    block = blocks_find(profile.blocks, area->address);
    if (block && block->born == area->born) {
        block->accesses += (double)accesses;
        profile.sites->site[block->site].accesses += (double)accesses * block->weight;
    }
    pthread_mutex_unlock(&lock);
}
