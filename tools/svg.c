/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see svg.h. */
#include "svg.h"

#include <string.h>

void svg_escape(FILE *stream, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < ' ' || byte == 0x7f)
            fputc('?', stream);
        else if (byte > 0x7f || strchr("&<>\"'", byte))
            fprintf(stream, "&#%d;", byte);
        else
            fputc(byte, stream);
    }
}

static void write_title(FILE *stream, const char *title)
{
    fputs("<title>", stream);
    svg_escape(stream, title, strlen(title));
    fputs("</title>\n", stream);
}

void svg_open(FILE *stream, unsigned width, unsigned height, const char *title)
{
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
            "viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" fill=\"#1c1c1c\">\n",
            width, height, width, height);
    write_title(stream, title);
    fputs("<style>.name{font-size:14px;font-weight:bold}.plain{font-size:12px}"
          ".small{font-size:10px}</style>\n",
          stream);
    svg_box(stream, 0, 0, width, height, "#ffffff", "none");
}

void svg_close(FILE *stream)
{
    fputs("</svg>\n", stream);
}

void svg_open_group(FILE *stream, const char *id, unsigned number, const char *title)
{
    fprintf(stream, "<g id=\"%s%u\">", id, number);
    write_title(stream, title);
}

void svg_close_group(FILE *stream)
{
    fputs("</g>\n", stream);
}

void svg_box(FILE *stream, unsigned x, unsigned y, unsigned width, unsigned height,
             const char *fill, const char *stroke)
{
    fprintf(stream,
            "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\" stroke=\"%s\"/>\n", x,
            y, width, height, fill, stroke);
}

void svg_text(FILE *stream, unsigned x, unsigned y, const char *style, const char *text,
              size_t most)
{
    size_t length = strlen(text);

    fprintf(stream, "<text class=\"%s\" x=\"%u\" y=\"%u\">", style, x, y);
    svg_escape(stream, text, length > most ? most - 3 : length);
    fputs(length > most ? "...</text>\n" : "</text>\n", stream);
}
