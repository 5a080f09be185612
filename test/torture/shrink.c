/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * shrink: a smaller plan that fails, too (delta debugging: Zeller and Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input", 2002). Faults are left out one by one, then threads, then
 * runs of operations, each half as long as those before.
 *
 * Threads make rounds differ: a plan counts as good if it does not fail in several tries.
 */
#include "torture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *log_file;
static unsigned tries, runs;
static time_t deadline;

static char reason[sizeof report->text]; /* of the last plan that failed */

static bool fails(struct plan *plan)
{
    for (unsigned i = 0; i < tries && time(NULL) < deadline; i++) {
        runs++;
        if (!watch_run(plan, log_file, false)) {
            memcpy(reason, report->text, sizeof reason);
            return true;
        }
    }
    return false;
}

/* How often the plan has to be tried to be fairly sure; 0: it did not fail again. */
static unsigned tries_needed(struct plan *plan)
{
    enum { TRIES = 10 };
    unsigned failed = 0;

    for (unsigned i = 0; i < TRIES && time(NULL) < deadline; i++)
        if (!watch_run(plan, log_file, false)) {
            memcpy(reason, report->text, sizeof reason);
            failed++;
        }
    return failed == 0 ? 0 : failed > 7 ? 2 : 3 * TRIES / failed;
}

static void leave_out_faults(struct plan *plan)
{
    for (unsigned fault = 0; fault < FAULTS; fault++) {
        struct plan smaller = *plan;

        smaller.faults &= ~(1u << fault);
        if (smaller.faults != plan->faults && fails(&smaller))
            *plan = smaller;
    }
}

/* Leaves out `count` operations that are left, from the one behind `first` such ones. False: there
 * are none. */
static bool leave_out(struct plan *plan, unsigned first, unsigned count)
{
    unsigned passed = 0, out = 0;

    for (unsigned thread = 0; thread < plan->threads; thread++)
        for (unsigned i = 0; i < plan->operations && out < count; i++)
            if (!plan->left_out[thread][i] && passed++ >= first) {
                plan->left_out[thread][i] = 1;
                out++;
            }
    return out > 0;
}

unsigned plan_count(const struct plan *plan)
{
    unsigned left = 0;

    for (unsigned thread = 0; thread < plan->threads; thread++)
        for (unsigned i = 0; i < plan->operations; i++)
            left += !plan->left_out[thread][i];
    return left;
}

static void leave_out_operations(struct plan *plan, unsigned length)
{
    for (unsigned first = 0; time(NULL) < deadline;) {
        struct plan smaller = *plan;

        if (!leave_out(&smaller, first, length))
            return;
        if (fails(&smaller))
            *plan = smaller;
        else
            first += length;
    }
}

static void leave_out_threads(struct plan *plan)
{
    for (unsigned thread = 0; thread < plan->threads; thread++) {
        struct plan smaller = *plan;

        memset(smaller.left_out[thread], 1, sizeof smaller.left_out[thread]);
        if (fails(&smaller))
            *plan = smaller;
    }
    while (plan->threads > 1) {
        struct plan smaller = *plan;

        smaller.threads--;
        if (plan_count(&smaller) < plan_count(plan) || !fails(&smaller))
            break;
        *plan = smaller;
    }
}

bool shrink(struct plan *plan, const char *log, unsigned seconds)
{
    unsigned before = plan_count(plan);

    log_file = log;
    runs = 0;
    deadline = time(NULL) + seconds;
    tries = tries_needed(plan);
    if (!tries)
        return false;
    leave_out_faults(plan);
    leave_out_threads(plan);
    for (unsigned length = (plan_count(plan) + 1) / 2; length; length /= 2)
        leave_out_operations(plan, length);
    fprintf(stderr, "torture: from %u operations to %u in %u runs\n", before, plan_count(plan),
            runs);
    memcpy(report->text, reason, sizeof reason);
    return true;
}
