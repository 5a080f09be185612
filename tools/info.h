/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info: the parts of memkind-info.
 *
 * What is printed is the library's own report (kinds/machine/report.h), which the static library
 * lets a tool see: nothing is decided here. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "kinds/machine/page_kind.h"
#include "kinds/machine/report.h"
#include "words.h"

struct info_request {
    bool nodes, kinds;
    int kind; /* MEMKIND_PARTITION_*: only this kind; -1: all */
};

/* For people: info_table.c. */
void info_print(const struct info_request *request, FILE *stream);

/* For programs: info_json.c. Members are added from time to time, never changed. */
void info_print_json(const struct info_request *request, FILE *stream);

/* Pictures, as a tree in text and as SVG: info_graph.c, info_svg.c. Nodes are in them always. */
void info_print_graph(const struct info_request *request, FILE *stream);
void info_print_svg(const struct info_request *request, FILE *stream);

/* "CXL, dax0.0, not for this process" */
struct text info_type_text(const struct node_report *node);

/* Whether the kind is one of those asked for. */
static inline bool info_wants(const struct info_request *request, int kind)
{
    return request->kind < 0 || request->kind == kind;
}
