/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * plugin: the library as a program has it that opens it with dlopen(3), for test_dlopen.c.
 *
 * What goes wrong fails the test, except in plugin_use() and plugin_use_in_thread(), which say it.
 * Threads: any; a plugin is opened and closed by one.
 */
#pragma once

#define MEMKIND_DEPRECATED(func) func
#include <criterion/criterion.h>
#include <memkind.h>

#include <pthread.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct plugin {
    void *handle;
    __typeof__(memkind_malloc) *malloc;
    __typeof__(memkind_calloc) *calloc;
    __typeof__(memkind_realloc) *realloc;
    __typeof__(memkind_free) *free;
    __typeof__(memkind_detect_kind) *detect;
    __typeof__(memkind_create_nodes) *create;
    __typeof__(memkind_destroy_kind) *destroy;
    memkind_t kinds[3];
};

/* MEMKIND_TEST_LIBRARY of the environment, else the build's. */
const char *plugin_path(void);

/* Kinds are variables: their values are read, as LLVM's OpenMP runtime reads them. */
void plugin_open(struct plugin *plugin);
void plugin_close(struct plugin *plugin);

/* Allocates and frees in every kind. NULL, or what went wrong. The second is a thread's body. */
char *plugin_use(const struct plugin *plugin);
void *plugin_use_in_thread(void *plugin);

/* Waits for the end of a thread that ran the above. */
void plugin_join(pthread_t thread);

/* `count` of them, at the same time; eight at the most. */
void plugin_use_in_threads(struct plugin *plugin, int count);
