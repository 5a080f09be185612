/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * front: what a library makes of its own variables, and which memory it gives a block for them.
 *
 * Several libraries are made of this folder. They are the same but for one file, which defines
 * these functions: libmemkind-preload.so has one_kind.c. The caller is the address that the
 * program's call returns to.
 *
 * Threads: front_begin() by one, at the first block of the process; the others by any, after it.
 */
#pragma once

#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>

#include "output.h"
#include "serve.h"

struct front {
    /* All blocks of less than `below` bytes are of this kind, or of MEMKIND_DEFAULT where it has no
     * memory; front_alloc() is asked for them only where there is no memory, and where blocks are
     * counted or sampled. */
    memkind_t kind;
    size_t below;
    /* front_resize() and front_free() are to see all blocks; else they may be passed by. */
    bool follows;
    /* front_resize() is. */
    bool resizes;
    /* As front_alloc(), of what malloc() is asked for, with `how`; NULL: that is. */
    void *(*malloc)(size_t size, const void *how, const void *caller);
    const void *how;
    /* What is to be added to the report; NULL: nothing. */
    void (*report)(struct output *output);
};

/* Reads the variables, and tells what it does not accept. `front` is all zero. */
void front_begin(struct front *front);

/* A block, as serve() has it. */
void *front_alloc(size_t size, size_t alignment, enum filling filling, const void *caller);

/* Another size, not 0, for a block of this library. NULL: it stays as it is, and is to be copied
 * into a block of front_alloc(). */
void *front_resize(void *block, size_t size, const void *caller);

/* Frees any block, which may be none of this library. */
void front_free(void *block);
