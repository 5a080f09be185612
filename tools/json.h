/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * json: writes a JSON text, indented, piece by piece.
 *
 * The caller opens and closes objects and arrays in pairs; commas, line ends and escapes are done
 * here. The output is ASCII: a byte that is none is written as the character of that number, so
 * that whatever sysfs holds, the text can be read. One thread at a time for each writer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kinds/machine/node_answer.h"
#include "kinds/system/nodemask.h"

/* Starts as {.stream = ...}. */
struct json {
    FILE *stream;
    unsigned depth;
    bool more; /* something is before the next value at this depth */
};

/* In all of these, `name` is NULL for an element of an array, or for the whole. `bracket`: '{' or
 * '[', and what closes it. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);

void json_text(struct json *json, const char *name, const char *text); /* NULL or "": null */
void json_number(struct json *json, const char *name, int64_t number);
void json_known(struct json *json, const char *name, int64_t number, bool known); /* or null */
void json_bool(struct json *json, const char *name, bool value);
void json_answer(struct json *json, const char *name, const struct node_answer *answer);
void json_nodes(struct json *json, const char *name, const struct nodemask *nodes); /* [0, 2] */
