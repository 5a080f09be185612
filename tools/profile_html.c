/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The page: see profile_write.h. It needs nothing from elsewhere: the plot is in it, as SVG. */
#define _GNU_SOURCE
#include "profile_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_symbols.h"
#include "svg.h"
#include "words.h"

#define WIDTH 1000 /* pixels of the plot */
#define HEIGHT 360
#define LEFT 80  /* of the axes */
#define SHOWN 12 /* sites with a colour of their own: the largest ones */

/* Dark enough for white paper, and told apart by most eyes; the last one is for all others. */
static const char *const colours[SHOWN + 1] = {
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#994455",
    "#004488", "#ddaa33", "#997700", "#117733", "#882255", "#bbbbbb"};

struct page {
    FILE *stream;
    const struct capture *capture;
    size_t *order; /* of the sites: the largest at the peak first */
    size_t shown;
};

static void write_text(FILE *stream, const char *text)
{
    svg_escape(stream, text, strlen(text));
}

/* --- the order -------------------------------------------------------------------------------- */

static int compare_sites(const void *left, const void *right, void *argument)
{
    const struct capture_site *sites = argument, *one = &sites[*(const size_t *)left],
                              *two = &sites[*(const size_t *)right];

    if (one->peak != two->peak)
        return one->peak < two->peak ? 1 : -1;
    return one->bytes < two->bytes ? 1 : one->bytes > two->bytes ? -1 : 0;
}

static size_t *order_sites(const struct capture *capture)
{
    size_t *order = calloc(capture->site_count + 1, sizeof *order);

    for (size_t i = 0; order && i < capture->site_count; i++)
        order[i] = i;
    if (order)
        qsort_r(order, capture->site_count, sizeof *order, compare_sites, capture->sites);
    return order;
}

/* --- the plot --------------------------------------------------------------------------------- */

/* Bytes of one of the coloured areas at a point. */
static uint64_t area(const struct page *page, const struct capture_point *point, size_t number)
{
    uint64_t sum = 0;

    if (number < page->shown)
        return point->live[page->order[number]];
    for (size_t i = page->shown; i < page->capture->site_count; i++)
        sum += point->live[page->order[i]];
    return sum;
}

static uint64_t all(const struct page *page, const struct capture_point *point)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < page->capture->site_count; i++)
        sum += point->live[i];
    return sum;
}

static void site_name(const struct page *page, size_t number, char *text, size_t size)
{
    const struct capture_site *site = &page->capture->sites[page->order[number]];

    if (site->frame_count)
        symbols_describe_call(page->capture, site->frames[0], text, size);
    else
        snprintf(text, size, "all other sites");
}

/* One area above those below it: along its upper edge, and back along the lower one. */
static void write_area(const struct page *page, size_t number, double *below, uint64_t most)
{
    const struct capture *capture = page->capture;
    double duration = (double)capture->duration + 1;
    char name[600] = "other sites";

    if (number < page->shown)
        site_name(page, number, name, sizeof name);
    fprintf(page->stream, "<path fill=\"%s\" d=\"", colours[number < page->shown ? number : SHOWN]);
    for (size_t i = 0; i < capture->point_count; i++)
        fprintf(page->stream, "%s%.1f %.1f", i ? "L" : "M",
                LEFT + (double)capture->points[i].time / duration * WIDTH, HEIGHT - below[i]);
    for (size_t i = capture->point_count; i-- > 0;) {
        below[i] += (double)area(page, &capture->points[i], number) / (double)most * (HEIGHT - 20);
        fprintf(page->stream, "L%.1f %.1f",
                LEFT + (double)capture->points[i].time / duration * WIDTH, HEIGHT - below[i]);
    }
    fputs("Z\"><title>", page->stream);
    write_text(page->stream, name);
    fputs("</title></path>\n", page->stream);
}

static void write_axes(const struct page *page, uint64_t most)
{
    for (unsigned part = 0; part <= 4; part++) {
        unsigned y = HEIGHT - part * (HEIGHT - 20) / 4;

        fprintf(page->stream,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\" stroke=\"#cccccc\"/>\n"
                "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>\n"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.3g s</text>\n",
                LEFT, LEFT + WIDTH, y, y, LEFT - 6, y + 4, bytes_text(most * part / 4).text,
                LEFT + (int)part * WIDTH / 4, HEIGHT + 18,
                (double)page->capture->duration * part / 4 / 1e9);
    }
}

static void write_plot(const struct page *page)
{
    const struct capture *capture = page->capture;
    double *below = calloc(capture->point_count + 1, sizeof *below);
    uint64_t most = 1;

    for (size_t i = 0; i < capture->point_count; i++)
        if (all(page, &capture->points[i]) > most)
            most = all(page, &capture->points[i]);
    fprintf(page->stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
            "<title>bytes over time by call site</title>\n",
            LEFT + WIDTH + 40, HEIGHT + 30);
    write_axes(page, most);
    for (size_t i = 0; below && i <= page->shown; i++)
        if (i < page->shown || page->shown < capture->site_count)
            write_area(page, i, below, most);
    fputs("</svg>\n", page->stream);
    free(below);
}

/* --- the table -------------------------------------------------------------------------------- */

static void write_bytes(FILE *stream, uint64_t bytes)
{
    fprintf(stream, "<td data-value=\"%" PRIu64 "\">%s</td>", bytes, bytes_text(bytes).text);
}

static void write_lifetime(FILE *stream, const struct capture_site *site)
{
    if (site->freed)
        fprintf(stream, "<td>%.3g</td>", (double)site->lifetime_mean / 1e6);
    else
        fputs("<td>-</td>", stream);
}

static void write_frame(const struct page *page, size_t frame)
{
    char name[600];

    for (size_t place = 0; place < symbols_count(page->capture, frame); place++) {
        symbols_describe(page->capture, frame, place, name, sizeof name);
        fputs("<li>", page->stream);
        write_text(page->stream, name);
        fputs("</li>", page->stream);
    }
}

static void write_stack(const struct page *page, size_t number)
{
    const struct capture_site *site = &page->capture->sites[page->order[number]];
    char name[600];

    site_name(page, number, name, sizeof name);
    fputs("<td class=\"site\"><details><summary>", page->stream);
    write_text(page->stream, name);
    fputs("</summary><ol>", page->stream);
    for (size_t i = 0; i < site->frame_count; i++)
        write_frame(page, site->frames[i]);
    fputs("</ol></details></td>", page->stream);
}

static void write_row(const struct page *page, size_t number)
{
    const struct capture_site *site = &page->capture->sites[page->order[number]];
    FILE *stream = page->stream;

    fprintf(stream, "<tr><td style=\"background:%s\"></td>",
            colours[number < page->shown ? number : SHOWN]);
    write_stack(page, number);
    fputs("<td class=\"site\">", stream);
    write_text(stream, site->kind);
    fputs("</td>", stream);
    write_bytes(stream, site->peak);
    write_bytes(stream, site->at_peak);
    write_bytes(stream, site->live);
    write_bytes(stream, site->bytes);
    fprintf(stream, "<td>%" PRIu64 "</td>", site->calls);
    write_bytes(stream, site->size_least);
    write_bytes(stream, site->size_most);
    write_lifetime(stream, site);
    fprintf(stream, "<td>%" PRIu64 "</td><td>%" PRIu64 "</td></tr>\n", site->accesses,
            site->samples);
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<style>body{font-family:sans-serif;color:#1c1c1c;margin:2em}svg{font-size:12px;width:100%}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:2px 8px;text-align:right;"
    "border-bottom:1px solid #ddd;vertical-align:top}.site{text-align:left}"
    "ol{margin:0;padding-left:2em}</style>\n";

static void write_page(const struct page *page)
{
    const struct capture *capture = page->capture;
    FILE *stream = page->stream;

    fputs(head, stream);
    fputs("<title>memkind-profile: ", stream);
    write_text(stream, capture->program);
    fputs("</title></head><body>\n<h1>", stream);
    write_text(stream, capture->program);
    fprintf(stream,
            "</h1>\n<p>Process %" PRIu64 ", %.3g s, %s at the peak. One byte in %s is sampled: "
            "all numbers but the samples' are estimates.",
            capture->process, (double)capture->duration / 1e9, bytes_text(capture->peak).text,
            bytes_text(capture->rate).text);
    fputs(" Accesses: ", stream);
    write_text(stream, capture->method);
    fputs(".", stream);
    if (capture->lost)
        fprintf(stream, " %" PRIu64 " samples were lost.", capture->lost);
    fputs("</p>\n", stream);
    write_plot(page);
    fputs("<table><thead><tr><th></th><th class=\"site\">site</th><th>kind</th><th>peak</th>"
          "<th>at the peak of all</th><th>in the end</th><th>allocated</th><th>blocks</th>"
          "<th>smallest</th><th>largest</th><th>mean life, ms</th><th>accesses</th>"
          "<th>samples</th></tr></thead><tbody>\n",
          stream);
    for (size_t i = 0; i < capture->site_count; i++)
        write_row(page, i);
    fputs("</tbody></table></body></html>\n", stream);
}

bool profile_write_html(const struct capture *capture, const char *path)
{
    struct page page = {.stream = fopen(path, "w"), .capture = capture};

    if (!page.stream)
        return false;
    page.order = order_sites(capture);
    page.shown = capture->site_count < SHOWN ? capture->site_count : SHOWN;
    if (page.order)
        write_page(&page);
    free(page.order);
    return !(ferror(page.stream) | fclose(page.stream));
}
