/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see stacks.h. */
#include "stacks.h"

#include <unwind.h>

/* By the linker: where this library begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

struct walk {
    uintptr_t *frames;
    size_t count;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    uintptr_t address = _Unwind_GetIP(context);

    if (!address)
        return _URC_END_OF_STACK;
    if (!walk->count && address >= (uintptr_t)__ehdr_start && address < (uintptr_t)_end)
        return _URC_NO_REASON;
    walk->frames[walk->count++] = address;
    return walk->count < STACKS_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

size_t stacks_take(uintptr_t frames[STACKS_FRAMES])
{
    struct walk walk = {.frames = frames};

    _Unwind_Backtrace(step, &walk);
    return walk.count;
}
