/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_json: the report as one JSON object.
 *
 * The manual page memkind-info(1) lists the members. What is not known is null. Thread rules: see
 * info.h.
 */
#include "info.h"

#include "frontend/managers.h"
#include "frontend/version.h"
#include "json.h"
#include "kinds/machine/report.h"
#include "kinds/machine/topology.h"

static void write_source(struct json *json, const char *name, enum info_source source)
{
    json_text(json, name, source == INFO_SOURCE_NONE ? NULL : info_source_name(source));
}

static void write_node(struct json *json, const struct node_report *node)
{
    const struct node_attributes *numbers = &node->numbers;

    json_open(json, NULL, '{');
    json_number(json, "node", node->node);
    json_text(json, "cpus", node->cpus);
    json_bool(json, "usable", node->usable);
    json_number(json, "size", (int64_t)node->size);
    json_number(json, "free", (int64_t)node->unused);
    json_text(json, "type", memory_type_name(node->type));
    write_source(json, "source", node->source);
    json_text(json, "device", node->device);
    json_bool(json, "high_bandwidth", node->hbw);
    json_bool(json, "dax", node->dax);
    json_known(json, "tier", node->tier, node->tier >= 0);
    json_known(json, "bandwidth", node->bandwidth, node->bandwidth);
    json_known(json, "latency", node->latency, node->latency);
    json_known(json, "read_bandwidth", numbers->read_bandwidth, numbers->read_bandwidth);
    json_known(json, "write_bandwidth", numbers->write_bandwidth, numbers->write_bandwidth);
    json_known(json, "read_latency", numbers->read_latency, numbers->read_latency);
    json_known(json, "write_latency", numbers->write_latency, numbers->write_latency);
    write_source(json, "numbers_source", numbers->source);
    json_nodes(json, "near_cpus_of", &numbers->initiators);
    json_close(json, '}');
}

static void write_special(struct json *json, const char *name, enum node_selector selector)
{
    struct node_answer answer;

    selector_answer(selector, NULL, 0, &answer);
    json_answer(json, name, &answer);
}

static void write_nodes(struct json *json)
{
    struct node_report node;

    json_open(json, "nodes", '[');
    nodemask_for_each (number, &topology_get()->online)
        if (report_node((unsigned)number, &node))
            write_node(json, &node);
    json_close(json, ']');
    write_special(json, "high_bandwidth", SELECT_HBW_ALL);
    write_special(json, "dax", SELECT_DAX_ALL);
}

static void write_kind(struct json *json, const struct page_kind *kind)
{
    static struct kind_cpus groups[NODEMASK_NODES];
    struct kind_report report;
    size_t count;

    report_kind(kind, &report);
    count = report.error ? 0 : report_kind_cpus(kind, groups);
    json_open(json, NULL, '{');
    json_text(json, "name", report.name);
    json_bool(json, "available", !report.error);
    json_number(json, "error", report.error);
    json_text(json, "why", report.why);
    write_source(json, "source", report.error ? INFO_SOURCE_NONE : report.source);
    json_bool(json, "local", report.local);
    json_text(json, "policy", report.policy);
    json_number(json, "page_size", (int64_t)report.page_size);
    json_known(json, "capacity", report.capacity, report.capacity >= 0);
    json_open(json, "nodes", '[');
    for (const struct kind_cpus *group = groups; group < groups + count; group++) {
        json_open(json, NULL, '{');
        json_nodes(json, "cpu_nodes", &group->cpu_nodes);
        json_number(json, "error", group->error);
        json_nodes(json, "nodes", &group->nodes);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

void info_print_json(const struct info_request *request, FILE *stream)
{
    struct json json = {.stream = stream};

    json_open(&json, NULL, '{');
    json_text(&json, "version", MEMKIND_VERSION_TEXT);
    json_text(&json, "heap_manager", managers_get()->name);
    if (request->nodes)
        write_nodes(&json);
    if (request->kinds) {
        json_open(&json, "kinds", '[');
        for (int kind = 0; kind < MEMKIND_NUM_BASE_KIND; kind++)
            if (info_wants(request, kind))
                write_kind(&json, &page_kind_static[kind]);
        json_close(&json, ']');
    }
    json_close(&json, '}');
}
