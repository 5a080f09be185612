/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * advise: which call sites of a profile are worth which memory.
 *
 * Rules know who calls malloc, and not who calls that one; so the profile's stacks are put together
 * by their innermost frame. Those with most accesses per byte come first, as long as there is room
 * in a budget for all bytes that they ever had at a time.
 *
 * One thread.
 */
#pragma once

#include "profile_capture.h"

struct advise_budget {
    int kind;
    uint64_t size;
    uint64_t used;
};

enum advise_place {
    ADVISE_PLACED,
    ADVISE_PARTLY,  /* with a limit */
    ADVISE_NO_ROOM, /* in any budget */
    ADVISE_IDLE,    /* no accesses were seen */
    ADVISE_NOWHERE, /* the caller is in no module that a rule can name */
};

struct advise_group {
    size_t frame;                     /* of the capture's */
    uint64_t accesses, peak, largest; /* bytes at a time; bytes of the largest block */
    uint64_t samples;
    size_t stacks;
    enum advise_place place;
    size_t budget;  /* of what is placed */
    uint64_t limit; /* of what is placed partly: bytes */
};

struct advice {
    struct advise_group *groups; /* in the order in which they were placed */
    size_t count;
    uint64_t accesses; /* of the whole profile */
    double served;     /* of them, those to what is placed */
};

/* Fills the budgets, the first one first. To be freed by advise_free(). */
struct advice *advise(const struct capture *capture, struct advise_budget *budgets, size_t count);
void advise_free(struct advice *advice);

/* The name of a capture's module, without folders, as rules have it. */
const char *advise_module(const struct capture *capture, size_t module);
