/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_svg: the picture of info_layout.h in SVG.
 *
 * A frame for each place, headed by its CPUs, with a box for each of its nodes. A box has the
 * colour of the memory's type, a bar as long as its bandwidth beside the machine's best, and a
 * square and a name for each family of kinds that uses the node. The families follow below, as do
 * the reasons why kinds are missing. All boxes are of one size, so that rows are rows. Thread
 * rules: see info.h.
 */
#include <string.h>

#include "info.h"
#include "info_layout.h"
#include "kinds/machine/topology.h"
#include "svg.h"
#include "words.h"

#define MARGIN 16
#define GAP 12            /* between frames */
#define PAD 8             /* between a frame and its boxes, and between these */
#define BOX 200           /* a box's width */
#define HEAD 22           /* a frame's line of CPUs */
#define FACTS 86          /* the part of a box above its kinds */
#define ROW 14            /* a line of small text */
#define SMALL_MOST 30     /* characters of small text in a box */
#define PLAIN_MOST 28     /* the same of plain text */
#define NARROWEST 640     /* the picture */
#define SMALL_CHARACTER 7 /* width of a capital letter of small text */

struct picture {
    FILE *stream;
    struct layout layout;
    unsigned columns;        /* boxes side by side */
    unsigned labels;         /* the most that one box has */
    unsigned best_bandwidth; /* of the machine, MB/s */
    unsigned width, height;
};

static const char *const family_colours[] = {"#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1",
                                             "#edc948", "#76b7b2", "#9c755f", "#ff9da7", "#86bc25",
                                             "#79706e", "#1f4e9e", "#a0357b", "#00796b"};

static const char *colour_of_family(size_t index)
{
    return family_colours[index % (sizeof family_colours / sizeof family_colours[0])];
}

static const char *colour_of_type(enum memory_type type)
{
    switch (type) {
    case MEMORY_ORDINARY:
        return "#e3edf7";
    case MEMORY_HBW:
        return "#ffe3c2";
    case MEMORY_CXL:
        return "#e2f3dd";
    case MEMORY_PERSISTENT:
    case MEMORY_DAX:
        return "#ede1f4";
    case MEMORY_GPU:
        return "#f8d7dc";
    case MEMORY_RESERVED:
        return "#fbf3c4";
    default:
        return "#eeeeee";
    }
}

/* --- sizes ------------------------------------------------------------------------------------ */

static unsigned box_height(const struct picture *picture)
{
    return FACTS + picture->labels * ROW + (picture->labels ? PAD : 0);
}

static unsigned place_columns(const struct picture *picture, const struct layout_place *place)
{
    unsigned count = nodemask_count(&place->nodes);

    return count < picture->columns ? count : picture->columns;
}

static unsigned place_width(unsigned columns)
{
    return columns * (BOX + PAD) + PAD;
}

static unsigned place_height(const struct picture *picture, const struct layout_place *place)
{
    unsigned columns = place_columns(picture, place);
    unsigned rows = columns ? (nodemask_count(&place->nodes) + columns - 1) / columns : 0;

    return HEAD + rows * (box_height(picture) + PAD);
}

static void measure_boxes(struct picture *picture)
{
    const struct nodemask *online = &topology_get()->online;
    struct node_report node;

    picture->columns = nodemask_count(online) <= 16 ? 4 : 8;
    nodemask_for_each (number, online) {
        unsigned labels = 0;

        for (size_t i = 0; i < picture->layout.family_count; i++)
            labels += layout_uses(&picture->layout.families[i], (unsigned)number);
        if (labels > picture->labels)
            picture->labels = labels;
        if (report_node((unsigned)number, &node) && node.bandwidth > picture->best_bandwidth)
            picture->best_bandwidth = node.bandwidth;
    }
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void draw_labels(const struct picture *picture, unsigned node, unsigned x, unsigned y)
{
    for (size_t i = 0; i < picture->layout.family_count; i++) {
        const struct layout_family *family = &picture->layout.families[i];

        if (!layout_uses(family, node))
            continue;
        svg_box(picture->stream, x, y, 8, 8, colour_of_family(i), "none");
        svg_text(picture->stream, x + 13, y + 8, "small", layout_label(family), SMALL_MOST);
        y += ROW;
    }
}

static void draw_node(const struct picture *picture, unsigned number, unsigned x, unsigned y)
{
    FILE *stream = picture->stream;
    struct node_report node;
    struct text name, speed;

    if (!report_node(number, &node))
        return;
    speed = layout_speed_text(&node);
    snprintf(name.text, sizeof name.text, "node %u", number);
    svg_open_group(stream, "node", number, name.text);
    svg_box(stream, x, y, BOX, box_height(picture), colour_of_type(node.type), "#555555");
    svg_text(stream, x + PAD, y + 18, "name", name.text, PLAIN_MOST);
    svg_text(stream, x + PAD, y + 34, "plain", info_type_text(&node).text, PLAIN_MOST);
    if (node.type != MEMORY_NONE)
        svg_text(stream, x + PAD, y + 49, "plain", layout_size_text(&node).text, PLAIN_MOST);
    if (*speed.text)
        svg_text(stream, x + PAD, y + 64, "plain", speed.text, PLAIN_MOST);
    if (node.bandwidth) {
        svg_box(stream, x + PAD, y + 70, BOX - 2 * PAD, 6, "#ffffff", "none");
        svg_box(stream, x + PAD, y + 70,
                (unsigned)((uint64_t)(BOX - 2 * PAD) * node.bandwidth / picture->best_bandwidth), 6,
                "#c05020", "none");
    }
    draw_labels(picture, number, x + PAD, y + FACTS);
    svg_close_group(stream);
}

/* --- places ----------------------------------------------------------------------------------- */

static void draw_place(const struct picture *picture, const struct layout_place *place, unsigned x,
                       unsigned y)
{
    unsigned columns = place_columns(picture, place), done = 0;
    struct text heading = layout_place_text(place);

    svg_box(picture->stream, x, y, place_width(columns), place_height(picture, place), "#fafafa",
            "#aaaaaa");
    svg_text(picture->stream, x + PAD, y + 16, "plain", heading.text, columns * PLAIN_MOST);
    nodemask_for_each (node, &place->nodes) {
        draw_node(picture, (unsigned)node, x + PAD + done % columns * (BOX + PAD),
                  y + HEAD + done / columns * (box_height(picture) + PAD));
        done++;
    }
}

/* Rows of places, as many in each as there is room for. Says where the next thing goes; draws only
 * with a stream. */
static unsigned flow_places(struct picture *picture, unsigned y)
{
    unsigned x = MARGIN, used = 0, tallest = 0;

    for (size_t i = 0; i < picture->layout.place_count; i++) {
        const struct layout_place *place = &picture->layout.places[i];
        unsigned columns = place_columns(picture, place);

        if (used && used + columns > picture->columns) {
            y += tallest + GAP;
            x = MARGIN;
            used = tallest = 0;
        }
        if (picture->stream)
            draw_place(picture, place, x, y);
        x += place_width(columns) + GAP;
        used += columns;
        if (place_height(picture, place) > tallest)
            tallest = place_height(picture, place);
        if (x - GAP + MARGIN > picture->width)
            picture->width = x - GAP + MARGIN;
    }
    return y + tallest + GAP;
}

/* --- families --------------------------------------------------------------------------------- */

/* The same, for a line or more for each family. */
static unsigned flow_families(const struct picture *picture, unsigned y)
{
    size_t most = (picture->width - 2 * MARGIN - 13) / SMALL_CHARACTER;

    for (size_t i = 0; i < picture->layout.family_count; i++) {
        const struct layout_family *family = &picture->layout.families[i];
        char text[sizeof family->names + sizeof ": " + sizeof(struct text)], part[sizeof text];
        const char *rest = text, *line;
        size_t length;

        snprintf(text, sizeof text, "%s: %s", family->names, layout_family_text(family).text);
        if (picture->stream)
            svg_box(picture->stream, MARGIN, y - 8, 8, 8,
                    family->available ? colour_of_family(i) : "#ffffff", "#555555");
        while ((length = layout_line(&rest, most, &line)) != 0) {
            snprintf(part, sizeof part, "%.*s", (int)length, line);
            if (picture->stream)
                svg_text(picture->stream, MARGIN + 13, y, "small", part, sizeof part);
            y += ROW;
        }
        y += 3;
    }
    return y;
}

/* --- all -------------------------------------------------------------------------------------- */

static unsigned flow(struct picture *picture)
{
    unsigned y = flow_places(picture, MARGIN + 22);

    return flow_families(picture, y + 10);
}

void info_print_svg(const struct info_request *request, FILE *stream)
{
    struct picture picture = {.width = NARROWEST};
    struct text title;

    layout_make(request, &picture.layout);
    measure_boxes(&picture);
    picture.height = flow(&picture) + MARGIN / 2;
    snprintf(title.text, sizeof title.text, "NUMA memory: %.200s", layout_sum_text().text);
    picture.stream = stream;
    svg_open(stream, picture.width, picture.height, title.text);
    svg_text(stream, MARGIN, MARGIN + 10, "name", title.text, sizeof title.text);
    flow(&picture);
    svg_close(stream);
    layout_release(&picture.layout);
}
