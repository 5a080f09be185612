/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_table: the report as tables for people.
 *
 * A table of nodes, a line for each sort of special memory that says which nodes it is or why there
 * is none, and a table of kinds. Thread rules: see info.h.
 */
#include "info.h"

#include <string.h>

#include "kinds/machine/report.h"
#include "kinds/machine/topology.h"
#include "special.h"
#include "table.h"
#include "words.h"

#define WIDEST_CPUS 40

/* --- nodes ------------------------------------------------------------------------------------ */

static struct text number_text(unsigned number, const char *unit)
{
    struct text made;

    snprintf(made.text, sizeof made.text, number ? "%u %s" : "-", number, unit);
    return made;
}

/* CPUs such as "0-13,112-125", or as many of them as there is room for. */
static struct text cpus_text(const char *cpus)
{
    struct text made;
    size_t length = strlen(cpus);

    snprintf(made.text, sizeof made.text, "%.*s%s", WIDEST_CPUS, *cpus ? cpus : "-",
             length > WIDEST_CPUS ? "..." : "");
    return made;
}

struct text info_type_text(const struct node_report *node)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "%s%s%s%s", memory_type_name(node->type),
             *node->device ? ", " : "", node->device,
             node->usable || node->type == MEMORY_NONE ? "" : ", not for this process");
    return made;
}

/* Of the type, and of the numbers where somebody else has them: "bus/dax, access1" */
static struct text source_text(const struct node_report *node)
{
    const char *type = node->source == INFO_SOURCE_NONE ? "" : info_source_name(node->source);
    bool both = node->numbers.source != INFO_SOURCE_NONE && node->numbers.source != node->source;
    const char *numbers = both ? info_source_name(node->numbers.source) : "";
    struct text made;

    snprintf(made.text, sizeof made.text, "%s%s%s", type, *type && *numbers ? ", " : "",
             *type || *numbers ? numbers : "-");
    return made;
}

static void add_node(struct table *table, const struct node_report *node)
{
    struct text number, tier = {""};

    snprintf(number.text, sizeof number.text, "%u", node->node);
    if (node->tier >= 0)
        snprintf(tier.text, sizeof tier.text, "%d", node->tier);
    table_add(table, (const char *const[TABLE_COLUMNS]){
                         number.text, cpus_text(node->cpus).text, bytes_text(node->size).text,
                         bytes_text(node->unused).text, number_text(node->bandwidth, "MB/s").text,
                         number_text(node->latency, "ns").text, tier.text,
                         info_type_text(node).text, source_text(node).text});
}

static void print_nodes(FILE *stream)
{
    struct table table = {0};
    struct node_report node;

    table_add(&table,
              (const char *const[TABLE_COLUMNS]){"node", "CPUs", "size", "free", "bandwidth",
                                                 "latency", "tier", "type", "known from"});
    nodemask_for_each (number, &topology_get()->online)
        if (report_node((unsigned)number, &node))
            add_node(&table, &node);
    table_print(&table, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6, stream);
}

/* --- kinds ------------------------------------------------------------------------------------ */

static void append(struct text *text, const char *more)
{
    size_t length = strlen(text->text);

    snprintf(text->text + length, sizeof text->text - length, "%s", more);
}

/* "8-15" where all CPUs see the same, else "0: 8, 1: 9", nodes by those of the CPUs. */
static struct text kind_nodes_text(const struct page_kind *kind)
{
    const struct nodemask *with_cpu = &topology_get()->with_cpu;
    static struct kind_cpus groups[NODEMASK_NODES];
    size_t count = report_kind_cpus(kind, groups);
    struct text made = {""};

    for (const struct kind_cpus *group = groups; group < groups + count; group++) {
        if (*made.text)
            append(&made, ", ");
        if (!nodemask_equal(&group->cpu_nodes, with_cpu)) {
            append(&made, list_text(&group->cpu_nodes).text);
            append(&made, ": ");
        }
        append(&made, group->error ? "none" : list_text(&group->nodes).text);
    }
    return made;
}

/* `special`: the lines of special memory stand above the table. */
static void add_kind(struct table *table, const struct page_kind *kind, bool special)
{
    struct text known = {""};
    struct kind_report report;

    report_kind(kind, &report);
    append(&known, report.error ? special_refusal(report.why, special).text : report.why);
    table_add(table,
              (const char *const[TABLE_COLUMNS]){
                  report.name, report.error ? "-" : kind_nodes_text(kind).text, report.policy,
                  bytes_text(report.page_size).text,
                  report.error ? "-" : bytes_text((uint64_t)report.capacity).text, known.text});
}

static void print_kinds(const struct info_request *request, bool special, FILE *stream)
{
    struct table table = {0};

    table_add(&table, (const char *const[TABLE_COLUMNS]){"kind", "nodes", "policy", "pages",
                                                         "capacity", "known from"});
    for (int kind = 0; kind < MEMKIND_NUM_BASE_KIND; kind++)
        if (info_wants(request, kind))
            add_kind(&table, &page_kind_static[kind], special);
    table_print(&table, 1 << 3 | 1 << 4, stream);
}

void info_print(const struct info_request *request, FILE *stream)
{
    bool special = request->nodes || request->kind < 0; /* a single kind's row says it itself */

    if (request->nodes) {
        print_nodes(stream);
        fputc('\n', stream);
    }
    if (special)
        special_print(stream);
    if (special && request->kinds)
        fputc('\n', stream);
    if (request->kinds)
        print_kinds(request, special, stream);
}
