/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * once: a value that is computed once, without a lock.
 *
 * Computing it may take system calls, may run on several threads at once and, where it calls into
 * other libraries, even inside itself: no lock may be held meanwhile. The first
 * value that is complete is kept, and every caller sees that one from then on.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

struct once {
    size_t size;                    /* bytes of the value */
    void (*compute)(void *value);   /* writes it into zeroed memory */
    void (*log)(const void *value); /* called once, with the value that is kept */
    _Atomic(void *) value;          /* NULL: not yet */
};

/* NULL: there is no memory to keep it in. Otherwise errno stays as it was. */
const void *once_get(struct once *once);
