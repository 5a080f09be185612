/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* residency: where the pages of a range of memory really are, by the kernel's word. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/system/nodemask.h"

enum residency {
    RESIDENCY_ALL,       /* every page of the range is on one of the nodes */
    RESIDENCY_ELSEWHERE, /* a page is on another node, or was never touched */
    RESIDENCY_UNKNOWN,   /* a part is not mapped, or the kernel does not say */
};

/* `touch`: populates the pages first, as a write of what is there already would. */
enum residency residency_check(void *address, size_t size, const struct nodemask *nodes,
                               bool touch);
