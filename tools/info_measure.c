/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_measure: what memkind-info --measure prints: a line for each pair of CPUs and memory, what
 * the library would conclude, and how to tell it. Thread rules: see info.h.
 */
#include <stdio.h>

#include "frontend/managers.h"
#include "frontend/version.h"
#include "info.h"
#include "json.h"
#include "measure.h"
#include "table.h"

static struct text figure_text(unsigned figure, const char *unit)
{
    struct text made;

    snprintf(made.text, sizeof made.text, figure ? "%u %s" : "-", figure, unit);
    return made;
}

/* "MEMKIND_HBW_NODES=8-15" */
static struct text setting_text(const struct node_answer *answer)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "MEMKIND_HBW_NODES=%.200s",
             list_text(&answer->nodes).text);
    return made;
}

void measure_print(const struct measured *measured, FILE *stream)
{
    struct table table = {0};
    struct node_answer answer;

    table_add(&table, (const char *const[TABLE_COLUMNS]){"CPUs of", "memory of", "bandwidth",
                                                         "latency", "measured in"});
    for (size_t i = 0; i < measured->count; i++) {
        const struct measured_pair *pair = &measured->pairs[i];
        struct text cpus, memory;

        snprintf(cpus.text, sizeof cpus.text, "node %u", pair->cpu_node);
        snprintf(memory.text, sizeof memory.text, "node %u", pair->node);
        table_add(&table, (const char *const[TABLE_COLUMNS]){
                              cpus.text, memory.text, figure_text(pair->bandwidth, "MB/s").text,
                              figure_text(pair->latency, "ns").text,
                              pair->size ? bytes_text(pair->size).text : "-"});
    }
    table_print(&table, 1 << 2 | 1 << 3 | 1 << 4, stream);
    measure_conclude(measured, &answer);
    if (answer.error)
        fprintf(stream, "\nhigh-bandwidth memory by these figures: none: %s\n", answer.why);
    else
        fprintf(stream, "\nhigh-bandwidth memory by these figures: %s (%s)\nexport %s\n",
                nodes_text(&answer.nodes).text, answer.why, setting_text(&answer).text);
}

void measure_print_json(const struct measured *measured, FILE *stream)
{
    struct json json = {.stream = stream};
    struct node_answer answer;

    measure_conclude(measured, &answer);
    json_open(&json, NULL, '{');
    json_text(&json, "version", MEMKIND_VERSION_TEXT);
    json_text(&json, "heap_manager", managers_get()->name);
    json_open(&json, "measured", '{');
    json_open(&json, "pairs", '[');
    for (size_t i = 0; i < measured->count; i++) {
        const struct measured_pair *pair = &measured->pairs[i];

        json_open(&json, NULL, '{');
        json_number(&json, "cpu_node", pair->cpu_node);
        json_number(&json, "node", pair->node);
        json_known(&json, "bandwidth", pair->bandwidth, pair->bandwidth);
        json_known(&json, "latency", pair->latency, pair->latency);
        json_known(&json, "size", (int64_t)pair->size, pair->size);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_answer(&json, "high_bandwidth", &answer);
    json_text(&json, "export", answer.error ? NULL : setting_text(&answer).text);
    json_close(&json, '}');
    json_close(&json, '}');
}
