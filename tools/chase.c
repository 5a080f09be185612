/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see chase.h. */
#include "chase.h"

#include <stdint.h>

#include "../bench/stream.h"

#define STRIDE 256       /* bytes; CPUs fetch the line beside the one that is wanted, too */
#define STEPS (1u << 17) /* of one part */

struct element {
    struct element *next;
    char rest[STRIDE - sizeof(struct element *)];
};

/* Numbers as random as this needs (xorshift64). */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Sattolo's shuffle: one cycle through all elements. */
void chase_prepare(void *area, size_t size)
{
    struct element *elements = area;
    size_t count = size / sizeof *elements;
    uint64_t state = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < count; i++)
        elements[i].next = &elements[i];
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t)(draw(&state) % i);
        struct element *swapped = elements[i].next;

        elements[i].next = elements[other].next;
        elements[other].next = swapped;
    }
}

double chase_run(void *area, double seconds)
{
    struct element *element = area;
    double begin = stream_clock(), end, best = 0;

    do {
        double from = stream_clock();

        for (unsigned i = 0; i < STEPS; i++) {
            element = element->next;
            __asm__ volatile("" : "+r"(element)); /* each step is really done */
        }
        end = stream_clock();
        if (best <= 0 || end - from < best)
            best = end - from;
    } while (end - begin < seconds);
    return best / STEPS * 1e9;
}
