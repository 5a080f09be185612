/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_layout: what the pictures of memkind-info show and in what order, for info_graph.c and
 * info_svg.c.
 *
 * Nodes are put into places: a node with CPUs has one of its own, where also the memory-only nodes
 * are that are nearest to just its CPUs; memory that is nearest to CPUs of several nodes has a
 * place with all that is nearest to the same. Kinds are put into families: the kinds that choose
 * their nodes in the same way, or that are missing for the same reason.
 *
 * One thread; no memory ends the program.
 */
#pragma once

#include "info.h"
#include "kinds/machine/report.h"

struct layout_place {
    struct nodemask cpu_nodes; /* near the CPUs of these */
    struct nodemask nodes;
};

struct layout_family {
    const struct page_kind *first;
    bool available;
    bool local;                /* which of the nodes depends on the CPU */
    struct nodemask nodes;     /* of all CPUs */
    char why[NODE_ANSWER_WHY]; /* where the nodes are known from, or why there are none */
    char names[1024];          /* "HBW, HBW_PREFERRED": names without MEMKIND_ */
};

struct layout {
    struct layout_place *places;
    size_t place_count;
    struct layout_family families[MEMKIND_NUM_BASE_KIND]; /* those that are available first */
    size_t family_count;
};

void layout_make(const struct info_request *request, struct layout *layout);
void layout_release(struct layout *layout);

/* The name of the family's first kind: it stands for the family where there is little room. */
const char *layout_label(const struct layout_family *family);

/* Whether the family is one that a node's box names. */
bool layout_uses(const struct layout_family *family, unsigned node);

/* Lines of the pictures. */
struct text layout_place_text(const struct layout_place *place); /* "CPUs 0-13 (node 0)" */
struct text layout_size_text(const struct node_report *node);    /* "64 GiB, 32 GiB free" */
struct text layout_speed_text(const struct node_report *node);   /* "204800 MB/s, 110 ns", or "" */
struct text layout_family_text(const struct layout_family *family); /* what is said after names */
struct text layout_sum_text(void);                                  /* "8 nodes, 112 GiB" */

/* Takes the next line out of a text: as many words as fit into `width` characters, and at least
 * one. Its length; 0: there is no more. */
size_t layout_line(const char **text, size_t width, const char **line);
