/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * decorators: the program's own functions before and after each allocation function.
 *
 * A library that has them (MEMKIND_DECORATORS) defines the five allocation functions twice: under
 * their public names in decorators.c, which calls the program's decorators, and in memkind.c, which
 * does the work, under the names below. One that has not is as if this header were empty.
 *
 * memkind.c includes it before memkind.h, so what it declares, defines and calls is renamed alike:
 * a realloc that allocates is one realloc, not also a malloc. Nobody else
 * includes it.
 */
#pragma once

#ifdef MEMKIND_DECORATORS
#define memkind_malloc plain_malloc
#define memkind_calloc plain_calloc
#define memkind_posix_memalign plain_posix_memalign
#define memkind_realloc plain_realloc
#define memkind_free plain_free
#endif
