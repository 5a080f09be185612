/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see info_layout.h. */
#include "info_layout.h"

#include <stdlib.h>
#include <string.h>

#include "kinds/machine/topology.h"
#include "words.h"

/* --- places ----------------------------------------------------------------------------------- */

/* Nodes with CPUs, one each, and then sets of them that have memory in common. */
static struct layout_place *find_place(struct layout *layout, const struct nodemask *cpu_nodes)
{
    struct layout_place *place;

    for (size_t i = 0; i < layout->place_count; i++)
        if (nodemask_equal(&layout->places[i].cpu_nodes, cpu_nodes))
            return &layout->places[i];
    place = &layout->places[layout->place_count++];
    place->cpu_nodes = *cpu_nodes;
    return place;
}

static void make_places(struct layout *layout)
{
    const struct topology *topology = topology_get();

    layout->places = calloc(nodemask_count(&topology->online) + 1, sizeof *layout->places);
    if (!layout->places) {
        perror("memkind-info");
        exit(EXIT_FAILURE);
    }
    nodemask_for_each (node, &topology->with_cpu) {
        struct nodemask alone = {{0}};

        nodemask_add(&alone, (unsigned)node);
        nodemask_add(&find_place(layout, &alone)->nodes, (unsigned)node);
    }
    nodemask_for_each (node, &topology->online)
        if (!nodemask_has(&topology->with_cpu, (unsigned)node))
            nodemask_add(&find_place(layout, &attributes_get()->of[node].initiators)->nodes,
                         (unsigned)node);
}

struct text layout_place_text(const struct layout_place *place)
{
    struct text made;
    struct node_report node;
    int only = nodemask_next(&place->cpu_nodes, 0);

    if (nodemask_count(&place->cpu_nodes) == 1 && report_node((unsigned)only, &node))
        snprintf(made.text, sizeof made.text, "CPUs %.230s (node %d)", *node.cpus ? node.cpus : "?",
                 only);
    else if (only < 0)
        snprintf(made.text, sizeof made.text, "near no CPUs");
    else
        snprintf(made.text, sizeof made.text, "near CPUs of %.230s",
                 nodes_text(&place->cpu_nodes).text);
    return made;
}

/* --- nodes ------------------------------------------------------------------------------------ */

struct text layout_size_text(const struct node_report *node)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "%.99s, %.99s free", bytes_text(node->size).text,
             bytes_text(node->unused).text);
    return made;
}

struct text layout_speed_text(const struct node_report *node)
{
    struct text made = {""};
    int length = 0;

    if (node->bandwidth)
        length = snprintf(made.text, sizeof made.text, "%u MB/s", node->bandwidth);
    if (node->latency)
        snprintf(made.text + length, sizeof made.text - (size_t)length, "%s%u ns",
                 length ? ", " : "", node->latency);
    return made;
}

struct text layout_sum_text(void)
{
    const struct topology *topology = topology_get();
    unsigned count = nodemask_count(&topology->online);
    uint64_t size = 0;
    struct text made;

    nodemask_for_each (node, &topology->online)
        size += topology->memory[node];
    snprintf(made.text, sizeof made.text, "%u node%s, %.200s", count, count == 1 ? "" : "s",
             bytes_text(size).text);
    return made;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static const char *short_name(const struct page_kind *kind)
{
    return kind->name + strlen("MEMKIND_");
}

static struct layout_family *find_family(struct layout *layout, const struct page_kind *kind,
                                         const struct kind_report *report)
{
    bool available = !report->error;
    struct layout_family *family;

    for (size_t i = 0; i < layout->family_count; i++) {
        family = &layout->families[i];
        if (family->available != available)
            continue;
        if (available ? family->first->selector == kind->selector
                      : strcmp(family->why, report->why) == 0)
            return family;
    }
    family = &layout->families[layout->family_count++];
    family->first = kind;
    family->available = available;
    family->local = report->local;
    snprintf(family->why, sizeof family->why, "%s", report->why);
    return family;
}

static void add_kind(struct layout *layout, const struct page_kind *kind, bool available)
{
    static struct kind_cpus groups[NODEMASK_NODES];
    struct layout_family *family;
    struct kind_report report;
    size_t length, count;

    report_kind(kind, &report);
    if (available == (report.error != 0))
        return;
    family = find_family(layout, kind, &report);
    length = strlen(family->names);
    snprintf(family->names + length, sizeof family->names - length, "%s%s", length ? ", " : "",
             short_name(kind));
    count = available && family->first == kind ? report_kind_cpus(kind, groups) : 0;
    for (size_t i = 0; i < count; i++)
        nodemask_or(&family->nodes, &groups[i].nodes);
}

static void make_families(const struct info_request *request, struct layout *layout)
{
    for (int available = 1; available >= 0; available--)
        for (int kind = 0; request->kinds && kind < MEMKIND_NUM_BASE_KIND; kind++)
            if (info_wants(request, kind))
                add_kind(layout, &page_kind_static[kind], available);
}

const char *layout_label(const struct layout_family *family)
{
    return short_name(family->first);
}

bool layout_uses(const struct layout_family *family, unsigned node)
{
    return family->available && nodemask_has(&family->nodes, node);
}

struct text layout_family_text(const struct layout_family *family)
{
    struct text made;

    if (!family->available)
        snprintf(made.text, sizeof made.text, "not available: %s", family->why);
    else if (family->local && nodemask_count(&family->nodes) > 1)
        snprintf(made.text, sizeof made.text, "of %.150s, depending on the CPU",
                 nodes_text(&family->nodes).text);
    else
        snprintf(made.text, sizeof made.text, "%.200s", nodes_text(&family->nodes).text);
    return made;
}

/* --- all -------------------------------------------------------------------------------------- */

void layout_make(const struct info_request *request, struct layout *layout)
{
    memset(layout, 0, sizeof *layout);
    make_places(layout);
    make_families(request, layout);
}

void layout_release(struct layout *layout)
{
    free(layout->places);
    layout->places = NULL;
}

size_t layout_line(const char **text, size_t width, const char **line)
{
    size_t length;

    *text += strspn(*text, " ");
    *line = *text;
    length = strcspn(*line, " ");
    while ((*line)[length]) {
        size_t more = length + 1 + strcspn(*line + length + 1, " ");

        if (more > width)
            break;
        length = more;
    }
    *text += length;
    return length;
}
