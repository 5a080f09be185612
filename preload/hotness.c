/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hotness.h. */
#include "hotness.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sample.h"
#include "settings.h"
#include "written.h"

#define AREAS 8192
#define PAGE_COST 25 /* microseconds between rounds for each page that was written */

static enum written_method method;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a round, and the rest */
static struct sample_area areas[AREAS];
static uint64_t least; /* ns between two rounds */
static unsigned long rounds;
static bool ended;

/* Returns how many pages were written. */
static size_t round_locked(void)
{
    size_t count = sample_areas(areas, AREAS, HOTNESS_LEAST), all = 0;

    for (size_t i = 0; i < count; i++) {
        size_t pages = written_pages(method, areas[i].address, areas[i].size);

        /* It may have gone meanwhile, and its memory with it. */
        if (pages == SIZE_MAX || !pages)
            continue;
        sample_accessed(&areas[i], pages);
        all += pages;
    }
    ended = !written_round_ends(method);
    rounds++;
    return all;
}

static void *watch(void *unused)
{
    uint64_t pause = least;

    while (pause) {
        struct timespec time = {(time_t)(pause / 1000000000), (long)(pause % 1000000000)};

        nanosleep(&time, NULL);
        pthread_mutex_lock(&lock);
        pause = ended ? 0 : (uint64_t)round_locked() * PAGE_COST * 1000;
        if (!ended && pause < least)
            pause = least;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

/* There is no thread here, and what was counted is the parent's. */
static void in_child(void)
{
    method = WRITTEN_NONE;
    rounds = 0;
}

static bool start_thread(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    bool started;

    if (pthread_attr_init(&attributes))
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN + 65536);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = !pthread_create(&thread, &attributes, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

void hotness_begin(void)
{
    least = settings_profile_interval() * 1000000;
    if (!least || pthread_atfork(NULL, NULL, in_child))
        return;
    method = written_begin();
    if (method != WRITTEN_NONE && !start_thread())
        method = WRITTEN_NONE;
}

void hotness_end(void)
{
    if (method == WRITTEN_NONE)
        return;
    pthread_mutex_lock(&lock);
    if (!ended)
        round_locked();
    ended = true;
    pthread_mutex_unlock(&lock);
}

const char *hotness_method(void)
{
    static const char *const names[] = {[WRITTEN_SCAN] = "written-pages:PAGEMAP_SCAN",
                                        [WRITTEN_SOFT_DIRTY] = "written-pages:soft-dirty"};

    return method == WRITTEN_NONE ? NULL : names[method];
}

unsigned long hotness_rounds(void)
{
    return rounds;
}
