/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * ten_arrays: a program that knows nothing of this library, for docs/which-data.md.
 *
 * A made-up simulation has ten arrays of 4 MiB. Each step reads and writes three of them; the
 * others are written at the start and read at the end.
 *
 * usage: ten_arrays [STEPS]
 */
#include <stdio.h>
#include <stdlib.h>

#define CELLS ((size_t)1 << 19)
#define STEPS 300

struct grid {
    double *density, *pressure, *velocity; /* of every step */
    double *terrain, *depth, *soil, *albedo, *names, *wells, *history;
};

static double *filled(double *array)
{
    if (!array) {
        fputs("ten_arrays: there is no memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < CELLS; i++)
        array[i] = (double)(i % 1000);
    return array;
}

/* A call for each array: that is what a rule can tell apart. */
static void create(struct grid *grid)
{
    const size_t size = CELLS * sizeof(double);

    grid->terrain = filled(malloc(size));
    grid->depth = filled(malloc(size));
    grid->density = filled(malloc(size));
    grid->soil = filled(malloc(size));
    grid->albedo = filled(malloc(size));
    grid->pressure = filled(malloc(size));
    grid->names = filled(malloc(size));
    grid->wells = filled(malloc(size));
    grid->velocity = filled(malloc(size));
    grid->history = filled(malloc(size));
}

static void step(const struct grid *grid)
{
    for (size_t i = 1; i < CELLS; i++) {
        grid->density[i] += 0.1 * (grid->density[i - 1] - grid->density[i]);
        grid->pressure[i] = 0.9 * grid->pressure[i] + grid->density[i];
        grid->velocity[i] += 0.01 * (grid->pressure[i] - grid->pressure[i - 1]);
    }
}

static void destroy(const struct grid *grid)
{
    double *const all[] = {grid->density, grid->pressure, grid->velocity, grid->terrain,
                           grid->depth,   grid->soil,     grid->albedo,   grid->names,
                           grid->wells,   grid->history};
    double sum = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (size_t cell = 0; cell < CELLS; cell++)
            sum += all[i][cell];
        free(all[i]);
    }
    printf("%.6e\n", sum);
}

int main(int argc, char *argv[])
{
    int steps = argc > 1 ? atoi(argv[1]) : STEPS;
    struct grid grid;

    create(&grid);
    for (int i = 0; i < steps; i++)
        step(&grid);
    destroy(&grid);
    return 0;
}
