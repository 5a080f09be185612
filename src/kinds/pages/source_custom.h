/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What page_source_custom's open() is asked for. */
#pragma once

#include <memkind.h>

struct source_custom_request {
    const struct memkind_page_ops *ops; /* copied */
    void *context;
};
