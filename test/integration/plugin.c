/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see plugin.h. */
#include "plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *plugin_path(void)
{
    const char *path = getenv("MEMKIND_TEST_LIBRARY");

    return path ? path : MEMKIND_TEST_LIBRARY;
}

static void *find(void *handle, const char *name)
{
    void *address = dlsym(handle, name);

    cr_assert(address, "%s: %s", name, dlerror());
    return address;
}

void plugin_open(struct plugin *plugin)
{
    static const char *const names[] = {"MEMKIND_DEFAULT", "MEMKIND_REGULAR", "MEMKIND_HBW"};

    plugin->handle = dlopen(plugin_path(), RTLD_NOW | RTLD_LOCAL);
    cr_assert(plugin->handle, "%s", dlerror());
    *(void **)&plugin->malloc = find(plugin->handle, "memkind_malloc");
    *(void **)&plugin->calloc = find(plugin->handle, "memkind_calloc");
    *(void **)&plugin->realloc = find(plugin->handle, "memkind_realloc");
    *(void **)&plugin->free = find(plugin->handle, "memkind_free");
    *(void **)&plugin->detect = find(plugin->handle, "memkind_detect_kind");
    *(void **)&plugin->create = find(plugin->handle, "memkind_create_nodes");
    *(void **)&plugin->destroy = find(plugin->handle, "memkind_destroy_kind");
    for (size_t i = 0; i < LENGTH(names); i++)
        plugin->kinds[i] = *(memkind_t *)find(plugin->handle, names[i]);
}

void plugin_close(struct plugin *plugin)
{
    cr_assert_eq(dlclose(plugin->handle), 0, "%s", dlerror());
    plugin->handle = NULL;
}

char *plugin_use(const struct plugin *plugin)
{
    memkind_t created;

    for (size_t i = 0; i < LENGTH(plugin->kinds); i++) {
        memkind_t kind = plugin->kinds[i];
        unsigned char *block = plugin->malloc(kind, 1000), *zeroed = plugin->calloc(kind, 10, 10);

        if (!block || !zeroed || zeroed[0] || zeroed[99])
            return "allocation";
        memset(block, 0x6b, 1000);
        block = plugin->realloc(kind, block, 100000);
        if (!block || block[0] != 0x6b || block[999] != 0x6b)
            return "reallocation";
        if (plugin->detect(block) != kind)
            return "detection";
        plugin->free(NULL, block);
        plugin->free(kind, zeroed);
    }
    if (plugin->create("all", MEMKIND_POLICY_PREFERRED_LOCAL, (memkind_bits_t)0, &created))
        return "creation";
    plugin->free(created, plugin->malloc(created, 5000));
    return plugin->destroy(created) ? "destruction" : NULL;
}

void *plugin_use_in_thread(void *plugin)
{
    return plugin_use(plugin);
}

void plugin_join(pthread_t thread)
{
    void *wrong;

    pthread_join(thread, &wrong);
    cr_assert_null(wrong, "in a thread: %s", (char *)wrong);
}

void plugin_use_in_threads(struct plugin *plugin, int count)
{
    pthread_t threads[8];

    for (int i = 0; i < count; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, plugin_use_in_thread, plugin), 0);
    for (int i = 0; i < count; i++)
        plugin_join(threads[i]);
}
