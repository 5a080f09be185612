/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* For flame graphs: see profile_write.h. */
#include "profile_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "profile_symbols.h"

/* A semicolon stands between frames, the last space before the number. */
static void write_frame(FILE *stream, const char *name)
{
    for (; *name; name++)
        fputc(*name == ';' || *name == '\n' ? ':' : *name, stream);
}

static void write_places(FILE *stream, const struct capture *capture, size_t frame)
{
    char name[1024];

    for (size_t place = symbols_count(capture, frame); place-- > 0;) {
        symbols_name(capture, frame, place, name, sizeof name);
        fputc(';', stream);
        write_frame(stream, name);
    }
}

bool profile_write_folded(const struct capture *capture, const char *path)
{
    FILE *stream = fopen(path, "w");

    if (!stream)
        return false;
    for (size_t i = 0; i < capture->site_count; i++) {
        const struct capture_site *site = &capture->sites[i];

        if (!site->at_peak)
            continue;
        fputs(site->kind, stream);
        for (size_t frame = site->frame_count; frame-- > 0;)
            write_places(stream, capture, site->frames[frame]);
        fprintf(stream, " %" PRIu64 "\n", site->at_peak);
    }
    if (ferror(stream) | fclose(stream))
        return false;
    return true;
}
