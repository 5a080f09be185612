/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * published: something found out once, without a lock.
 *
 * Finding out may take system calls, may run on several threads at once and, where it calls into
 * other libraries, even inside itself: no lock may be held meanwhile. Whoever is first publishes
 * its finding, and everybody sees that one from then on, for ever.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

struct published {
    size_t size;                       /* of the finding */
    void (*find)(void *finding);       /* into zeroed memory */
    void (*tell)(const void *finding); /* called once, of the finding that stays */
    _Atomic(void *) finding;           /* NULL: not yet */
};

/* NULL: there is no memory to keep it in. Otherwise errno stays as it was. */
const void *published_get(struct published *published);
