/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * svg: writes the elements of a picture in Scalable Vector Graphics.
 *
 * Lengths are in pixels. Whatever a text has in it, the picture stays well-formed XML in ASCII: a
 * byte that is none is written as the character of that number, a control character as "?". One
 * thread at a time for each stream.
 */
#pragma once

#include <stdio.h>

/* Text, as all texts here are written; it does for HTML, too. */
void svg_escape(FILE *stream, const char *text, size_t length);

void svg_open(FILE *stream, unsigned width, unsigned height, const char *title);
void svg_close(FILE *stream);

/* A group, with a title that a viewer shows under the mouse. `id` and `number` name it. */
void svg_open_group(FILE *stream, const char *id, unsigned number, const char *title);
void svg_close_group(FILE *stream);

void svg_box(FILE *stream, unsigned x, unsigned y, unsigned width, unsigned height,
             const char *fill, const char *stroke);

/* `style`: a class of svg_open()'s: "name", "plain", "small". At most `most` characters. */
void svg_text(FILE *stream, unsigned x, unsigned y, const char *style, const char *text,
              size_t most);
