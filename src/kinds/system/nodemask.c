/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see nodemask.h. Pure functions, no state, no system call. */
#include "kinds/system/nodemask.h"

#include <ctype.h>
#include <stdio.h>
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

/* Replaces every n of the mask by the n-th node of `allowed`. */
static bool resolve_relative(struct nodemask *mask, const struct nodemask *allowed)
{
    struct nodemask absolute = {{0}};
    unsigned position = 0;

    nodemask_for_each (node, allowed) {
        if (nodemask_has(mask, position++))
            nodemask_add(&absolute, (unsigned)node);
    }
    if (nodemask_next(mask, position) >= 0)
        return false;
    *mask = absolute;
    return true;
}

bool nodemask_parse_user(const char *text, const struct nodemask *existing,
                         const struct nodemask *allowed, struct nodemask *mask)
{
    bool invert = *text == '!';
    bool relative = *text == '+';

    if (strcmp(text, "all") == 0) {
        *mask = *allowed;
        return !nodemask_empty(mask);
    }
    if (!nodemask_parse(text + (invert || relative), mask) || nodemask_empty(mask))
        return false;
    if (relative && !resolve_relative(mask, allowed))
        return false;
    if (!nodemask_subset(mask, existing))
        return false;
    if (invert)
        for (size_t i = 0; i < NODEMASK_WORDS; i++)
            mask->bits[i] = existing->bits[i] & ~mask->bits[i];
    return !nodemask_empty(mask);
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
