/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see free_memory.h. */
#include "free_memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES "/sys/devices/system/node"

/* The beginning of a file. False: it cannot be read. */
static bool read_file(const char *path, char *text, size_t room)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, room - 1);

    if (file >= 0)
        close(file);
    if (length < 0)
        return false;
    text[length] = '\0';
    return true;
}

/* Returns the bytes written. */
static size_t print_node(unsigned long node, char *text, size_t room, const char *between)
{
    static const char label[] = "MemFree:";
    char path[sizeof NODES + 40], content[2048];
    const char *found;
    int length;

    snprintf(path, sizeof path, NODES "/node%lu/meminfo", node);
    found = read_file(path, content, sizeof content) ? strstr(content, label) : NULL;
    if (!found)
        return 0;
    length = snprintf(text, room, "%s%lu: %lu", between, node,
                      strtoul(found + sizeof label - 1, NULL, 10) / 1024);
    return length > 0 && (size_t)length < room ? (size_t)length : 0;
}

void free_memory_print(char *text, size_t room)
{
    char list[1024]; /* "0-1,4" */
    const char *next = list;
    size_t length = 0;

    *text = '\0';
    if (!read_file(NODES "/has_memory", list, sizeof list))
        return;
    while (*next >= '0' && *next <= '9') {
        char *end;
        unsigned long first = strtoul(next, &end, 10), last = first;

        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (; first <= last; first++)
            length += print_node(first, text + length, room - length, length ? ", " : "");
        next = end + (*end == ',');
    }
}
