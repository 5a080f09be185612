/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * compat: names that no header declares and programs import all the same.
 *
 * memkind-hbw-nodes and memkind-auto-dax-kmem-nodes of 1.14.0 are linked with functions of that
 * library's inside, which fill a node mask for mbind(2). They find these here, so that a system
 * whose libmemkind.so.0 is ours keeps its tools. Programs of today ask memkind-info.
 *
 * libmemkind-preload.so (preload/) frees every pointer of a program here, and would have to ask of
 * each whether it is the library's if it were not told of those that are not. libmemtier.so.0, of
 * the same folder, wants files to behave as other memory does.
 *
 * Threads: any.
 */
#include <memkind.h>
#include <string.h>

#include "frontend/export.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/selector.h"
#include "kinds/pages/pool.h"
#include "kinds/system/reserve.h"

/* `nodes`: `maxnode` bits, in whole words as mbind(2) takes them; NULL asks only whether there are
 * such nodes. A mask without room for all of them stays as it is. */
static int fill_nodemask(enum node_selector selector, unsigned long *nodes, unsigned long maxnode)
{
    struct node_answer answer;
    size_t words;

    if (!managers_enter())
        return MEMKIND_ERROR_OPERATION_FAILED;
    facts_begin(FACTS_OUTSIDE);
    selector_answer(selector, NULL, 0, &answer);
    facts_end(FACTS_OUTSIDE);
    managers_leave();
    if (answer.error || !nodes)
        return answer.error;
    if (maxnode < NODEMASK_NODES && nodemask_next(&answer.nodes, (unsigned)maxnode) >= 0)
        return MEMKIND_ERROR_INVALID;
    words = maxnode / NODEMASK_WORD_BITS + (maxnode % NODEMASK_WORD_BITS != 0);
    memset(nodes, 0, words * sizeof *nodes);
    memcpy(nodes, answer.nodes.bits,
           (words < NODEMASK_WORDS ? words : NODEMASK_WORDS) * sizeof *nodes);
    return 0;
}

EXPORT int memkind_hbw_all_get_mbind_nodemask(memkind_t kind, unsigned long *nodes,
                                              unsigned long maxnode)
{
    (void)kind;
    return fill_nodemask(SELECT_HBW_ALL, nodes, maxnode);
}

EXPORT int memkind_dax_kmem_all_get_mbind_nodemask(memkind_t kind, unsigned long *nodes,
                                                   unsigned long maxnode)
{
    (void)kind;
    return fill_nodemask(SELECT_DAX_ALL, nodes, maxnode);
}

EXPORT int memkind_regular_all_get_mbind_nodemask(memkind_t kind, unsigned long *nodes,
                                                  unsigned long maxnode)
{
    (void)kind;
    return fill_nodemask(SELECT_CPU_NODES, nodes, maxnode);
}

/* A child of fork(2) has copies of the kind's blocks, not the blocks themselves, if the kind is a
 * file: libmemtier.so.0, below programs that know nothing of files, asks for it. Each fork costs a
 * copy of all the data. */
EXPORT void memkind_copy_at_fork(memkind_t kind)
{
    if (!managers_enter())
        return;
    if (registry_row(kind) && registry_is_ready(kind))
        pool_copy_at_fork(&kind->heap.pages);
    managers_leave();
}

/* What memkind_free() is given and does not know goes there. NULL: nowhere. */
EXPORT void memkind_take_foreign(void (*take)(void *block))
{
    reserve_take_foreign(take);
}
