/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see nodemask.h. Pure functions, no state, no system call. */
#include "kinds/system/nodemask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nodemask_add(struct nodemask *mask, unsigned node)
{
    mask->bits[node / NODEMASK_WORD_BITS] |= 1UL << (node % NODEMASK_WORD_BITS);
}

bool nodemask_has(const struct nodemask *mask, unsigned node)
{
    return node < NODEMASK_NODES &&
           (mask->bits[node / NODEMASK_WORD_BITS] >> (node % NODEMASK_WORD_BITS) & 1UL);
}

bool nodemask_empty(const struct nodemask *mask)
{
    return nodemask_next(mask, 0) < 0;
}

bool nodemask_equal(const struct nodemask *a, const struct nodemask *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool nodemask_subset(const struct nodemask *inner, const struct nodemask *outer)
{
    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        if (inner->bits[i] & ~outer->bits[i])
            return false;
    return true;
}

void nodemask_and(struct nodemask *mask, const struct nodemask *other)
{
    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        mask->bits[i] &= other->bits[i];
}

void nodemask_or(struct nodemask *mask, const struct nodemask *other)
{
    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        mask->bits[i] |= other->bits[i];
}

void nodemask_remove(struct nodemask *mask, const struct nodemask *other)
{
    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        mask->bits[i] &= ~other->bits[i];
}

void nodemask_keep_best(struct nodemask *mask, nodemask_score *score, unsigned argument)
{
    struct nodemask kept = {{0}};
    uint64_t best = 0;

    nodemask_for_each (node, mask) {
        uint64_t this = score((unsigned)node, argument);

        if (this < best)
            continue;
        if (this > best)
            memset(&kept, 0, sizeof kept);
        best = this;
        nodemask_add(&kept, (unsigned)node);
    }
    *mask = kept;
}

unsigned nodemask_count(const struct nodemask *mask)
{
    unsigned count = 0;

    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        count += (unsigned)__builtin_popcountl(mask->bits[i]);
    return count;
}

int nodemask_next(const struct nodemask *mask, unsigned from)
{
    for (size_t word = from / NODEMASK_WORD_BITS; word < NODEMASK_WORDS; word++) {
        unsigned long bits = mask->bits[word];

        if (word == from / NODEMASK_WORD_BITS)
            bits &= ~0UL << (from % NODEMASK_WORD_BITS);
        if (bits)
            return (int)(word * NODEMASK_WORD_BITS) + __builtin_ctzl(bits);
    }
    return -1;
}

/* A decimal node number at *text; moves *text behind it. */
static bool parse_number(const char **text, unsigned *number)
{
    const char *p = *text;
    unsigned value = 0;

    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value >= NODEMASK_NODES)
            return false;
    }
    *text = p;
    *number = value;
    return true;
}

bool nodemask_parse(const char *text, struct nodemask *mask)
{
    memset(mask, 0, sizeof *mask);
    if (*text == '\0' || *text == '\n')
        return text[*text == '\n'] == '\0';
    for (;;) {
        unsigned first, last;

        if (!parse_number(&text, &first))
            return false;
        last = first;
        if (*text == '-' && (text++, !parse_number(&text, &last) || last < first))
            return false;
        for (unsigned node = first; node <= last; node++)
            nodemask_add(mask, node);
        if (*text == '\n')
            text++;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

/* A number of a user's list at *text, which moves behind it: a node of `existing`. `relative`: the
 * number counts the nodes of that set. */
static bool parse_user_number(const char **text, const struct nodemask *existing,
                              const struct nodemask *relative, unsigned *node)
{
    char *end;
    unsigned long number = strtoul(*text, &end, 0);
    int counted = -1;

    if (end == *text || number >= NODEMASK_NODES)
        return false;
    *text = end;
    if (relative) {
        do
            counted = nodemask_next(relative, (unsigned)counted + 1);
        while (counted >= 0 && number-- > 0);
        if (counted < 0)
            return false;
        number = (unsigned)counted;
    }
    *node = (unsigned)number;
    return nodemask_has(existing, *node);
}

/* A number or a range. */
static bool parse_user_range(const char **text, const struct nodemask *existing,
                             const struct nodemask *relative, struct nodemask *mask)
{
    unsigned first, last;

    if (!parse_user_number(text, existing, relative, &first))
        return false;
    nodemask_add(mask, first);
    if (**text != '-')
        return true;
    ++*text;
    if (!parse_user_number(text, existing, relative, &last))
        return false;
    for (unsigned node = first; node <= last; node++)
        if (nodemask_has(existing, node))
            nodemask_add(mask, node);
    return true;
}

bool nodemask_parse_user(const char *text, const struct nodemask *existing,
                         const struct nodemask *allowed, struct nodemask *mask)
{
    bool invert = *text == '!';
    const struct nodemask *relative = NULL;
    struct nodemask listed = {{0}};

    text += invert;
    if (*text == '+') {
        relative = allowed;
        text++;
    }
    do {
        if (strcmp(text, "all") == 0) {
            listed = *allowed;
            text += strlen("all");
        } else if (!parse_user_range(&text, existing, relative, &listed)) {
            return false;
        }
    } while (*text == ',' && text++);
    *mask = invert ? *existing : listed;
    if (invert)
        nodemask_remove(mask, &listed);
    return *text == '\0' && !nodemask_empty(mask);
}

void nodemask_format(const struct nodemask *mask, char *text, size_t size)
{
    size_t used = 0;

    if (size == 0)
        return;
    snprintf(text, size, "-");
    for (int first = nodemask_next(mask, 0); first >= 0 && used < size;) {
        int last = first;

        while (nodemask_has(mask, (unsigned)last + 1))
            last++;
        used += (size_t)snprintf(text + used, size - used, first == last ? "%s%d" : "%s%d-%d",
                                 used ? "," : "", first, last);
        first = nodemask_next(mask, (unsigned)last + 1);
    }
}
