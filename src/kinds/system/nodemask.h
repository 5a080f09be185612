/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * nodemask: sets of NUMA nodes, and their text form.
 *
 * A nodemask has the layout that mbind(2) takes: an array of unsigned long, bit n = node n. The
 * text form "0,2-3" is shared by numactl, by /sys/devices/system/node and by the MEMKIND_*_NODES
 * variables, so one parser serves all three; it is ours and not libnuma's because that one prints
 * warnings of its own and only knows the running machine. Pure functions, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODEMASK_NODES 1024 /* the kernel's own upper bound (CONFIG_NODES_SHIFT <= 10) */
#define NODEMASK_WORD_BITS (8 * sizeof(unsigned long))
#define NODEMASK_WORDS (NODEMASK_NODES / NODEMASK_WORD_BITS)

struct nodemask {
    unsigned long bits[NODEMASK_WORDS];
};

void nodemask_add(struct nodemask *mask, unsigned node);
bool nodemask_has(const struct nodemask *mask, unsigned node);
bool nodemask_empty(const struct nodemask *mask);
bool nodemask_equal(const struct nodemask *a, const struct nodemask *b);
bool nodemask_subset(const struct nodemask *inner, const struct nodemask *outer);
void nodemask_and(struct nodemask *mask, const struct nodemask *other);
void nodemask_or(struct nodemask *mask, const struct nodemask *other);
void nodemask_remove(struct nodemask *mask, const struct nodemask *other);

/* How good a node is, for something that the argument names. */
typedef uint64_t nodemask_score(unsigned node, unsigned argument);
/* Keeps the best nodes, all of those that are equally good. */
void nodemask_keep_best(struct nodemask *mask, nodemask_score *score, unsigned argument);
unsigned nodemask_count(const struct nodemask *mask);

/* First node >= from that is in the mask, or -1. */
int nodemask_next(const struct nodemask *mask, unsigned from);

#define nodemask_for_each(node, mask)                    \
    for (int node = nodemask_next((mask), 0); node >= 0; \
         node = nodemask_next((mask), (unsigned)node + 1))

/* The kernel's list format: "0,2-3" and an optional newline; an empty text is the empty set.
 * Returns false, with *mask unspecified, on anything else or on a node >= NODEMASK_NODES. */
bool nodemask_parse(const char *text, struct nodemask *mask);

/* A user's node list, with libnuma's meaning (numa_parse_nodestring(3), which numactl uses):
 * numbers as strtoul(3) takes them and ranges, separated by commas; in front of them, "+" for the
 * n-th nodes of `allowed`, "!" for all nodes but these, in this order both; "all", also as the last
 * member, for just those of `allowed`. The ends of a range must be in `existing`, what is not in
 * between is left out; of a range backwards, only its first end counts. False, too, where no node
 * is left, and for libnuma's names of devices ("netdev:eth0"). */
bool nodemask_parse_user(const char *text, const struct nodemask *existing,
                         const struct nodemask *allowed, struct nodemask *mask);

/* Writes "0,2-3" ("-" for the empty set), always terminated, cut where it does not fit. */
void nodemask_format(const struct nodemask *mask, char *text, size_t size);
