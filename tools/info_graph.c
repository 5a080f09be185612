/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_graph: the picture of info_layout.h as a tree in text.
 *
 * The lines of the tree are drawn with box characters where the locale's characters are UTF-8, else
 * with ASCII. Thread rules: see info.h.
 */
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "info.h"
#include "info_layout.h"
#include "words.h"

#define WIDTH 76 /* of a line's text, after which lists of kinds are broken */

/* What stands before a line: of a member, of the last member, and below each of these. */
struct strokes {
    const char *member, *last, *below, *below_last;
};

static const struct strokes *choose_strokes(void)
{
    static const struct strokes ascii = {"|-- ", "`-- ", "|   ", "    "},
                                utf8 = {"├── ", "└── ", "│   ", "    "};

    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? &utf8 : &ascii;
}

static void print_families(const struct layout *layout, unsigned node, const char *before,
                           const char *below, FILE *stream)
{
    char labels[sizeof layout->families[0].names] = "";
    const char *text = labels, *line;
    size_t length = 0;

    for (size_t i = 0; i < layout->family_count; i++)
        if (layout_uses(&layout->families[i], node))
            length += (size_t)snprintf(labels + length, sizeof labels - length, "%s%s",
                                       length ? ", " : "", layout_label(&layout->families[i]));
    while ((length = layout_line(&text, WIDTH - 12, &line)) != 0)
        fprintf(stream, "%s%s    %.*s\n", before, below, (int)length, line);
}

static void print_node(const struct layout *layout, unsigned number, const char *before,
                       const char *stroke, const char *below, FILE *stream)
{
    struct node_report node;
    struct text speed;

    if (!report_node(number, &node))
        return;
    speed = layout_speed_text(&node);
    fprintf(stream, "%s%snode %u: %s", before, stroke, number, info_type_text(&node).text);
    if (node.type != MEMORY_NONE)
        fprintf(stream, ", %s%s%s", layout_size_text(&node).text, *speed.text ? ", " : "",
                speed.text);
    fputc('\n', stream);
    print_families(layout, number, before, below, stream);
}

static void print_place(const struct layout *layout, size_t index, const struct strokes *strokes,
                        FILE *stream)
{
    const struct layout_place *place = &layout->places[index];
    bool last = index + 1 == layout->place_count;
    const char *before = last ? strokes->below_last : strokes->below;

    fprintf(stream, "%s%s\n", last ? strokes->last : strokes->member,
            layout_place_text(place).text);
    nodemask_for_each (node, &place->nodes) {
        last = nodemask_next(&place->nodes, (unsigned)node + 1) < 0;
        print_node(layout, (unsigned)node, before, last ? strokes->last : strokes->member,
                   last ? strokes->below_last : strokes->below, stream);
    }
}

static void print_family(const struct layout_family *family, FILE *stream)
{
    char text[sizeof family->names + sizeof ": " + sizeof(struct text)];
    const char *rest = text, *line, *indent = "";
    size_t length;

    snprintf(text, sizeof text, "%s: %s", family->names, layout_family_text(family).text);
    while ((length = layout_line(&rest, WIDTH, &line)) != 0) {
        fprintf(stream, "%s%.*s\n", indent, (int)length, line);
        indent = "    ";
    }
}

void info_print_graph(const struct info_request *request, FILE *stream)
{
    const struct strokes *strokes = choose_strokes();
    struct layout layout;

    layout_make(request, &layout);
    fprintf(stream, "%s\n", layout_sum_text().text);
    for (size_t i = 0; i < layout.place_count; i++)
        print_place(&layout, i, strokes, stream);
    if (layout.family_count)
        fputc('\n', stream);
    for (size_t i = 0; i < layout.family_count; i++)
        print_family(&layout.families[i], stream);
    layout_release(&layout);
}
