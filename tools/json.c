/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see json.h. */
#include "json.h"

#include <inttypes.h>

static void write_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(stream, "\\%c", *at);
        else if (*at < 0x20 || *at >= 0x7f)
            fprintf(stream, "\\u%04x", *at);
        else
            fputc(*at, stream);
    }
    fputc('"', stream);
}

static void new_line(const struct json *json)
{
    fprintf(json->stream, "\n%*s", (int)(2 * json->depth), "");
}

static void begin(struct json *json, const char *name)
{
    if (json->more)
        fputc(',', json->stream);
    if (json->depth)
        new_line(json);
    if (name) {
        write_text(json->stream, name);
        fputs(": ", json->stream);
    }
    json->more = true;
}

void json_open(struct json *json, const char *name, char bracket)
{
    begin(json, name);
    fputc(bracket, json->stream);
    json->depth++;
    json->more = false;
}

void json_close(struct json *json, char bracket)
{
    json->depth--;
    if (json->more)
        new_line(json);
    fputc(bracket, json->stream);
    if (!json->depth)
        fputc('\n', json->stream);
    json->more = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
    begin(json, name);
    if (text && *text)
        write_text(json->stream, text);
    else
        fputs("null", json->stream);
}

void json_number(struct json *json, const char *name, int64_t number)
{
    begin(json, name);
    fprintf(json->stream, "%" PRId64, number);
}

void json_known(struct json *json, const char *name, int64_t number, bool known)
{
    if (known)
        json_number(json, name, number);
    else
        json_text(json, name, NULL);
}

void json_bool(struct json *json, const char *name, bool value)
{
    begin(json, name);
    fputs(value ? "true" : "false", json->stream);
}

void json_nodes(struct json *json, const char *name, const struct nodemask *nodes)
{
    const char *separator = "";

    begin(json, name);
    fputc('[', json->stream);
    nodemask_for_each (node, nodes) {
        fprintf(json->stream, "%s%d", separator, node);
        separator = ", ";
    }
    fputc(']', json->stream);
}

void json_answer(struct json *json, const char *name, const struct node_answer *answer)
{
    json_open(json, name, '{');
    json_bool(json, "available", !answer->error);
    json_nodes(json, "nodes", &answer->nodes);
    json_text(json, "why", answer->why);
    json_close(json, '}');
}
