/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What page_source_fixed's open() is asked for. */
#pragma once

#include <stddef.h>

struct source_fixed_request {
    void *address; /* of the area */
    size_t size;
};
