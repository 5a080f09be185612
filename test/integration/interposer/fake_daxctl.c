/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fake_daxctl: a libdaxctl.so.1 that knows one device in system-ram mode, on node 0, and that uses
 * malloc as freely as a library may: when it is loaded and unloaded, in every call, and in a thread
 * of its own. Under libmemkind-preload.so all this comes back into the library that is asking.
 *
 * The types are opaque in libdaxctl, too: here they are what is needed.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

struct thing {
    char *name;
    char *spare;
};

static struct thing *keep;
static pthread_key_t key;

static char *churn(const char *text)
{
    char *copy = strdup(text);
    void *aligned = NULL;

    copy = realloc(copy, strlen(text) + 5000);
    free(calloc(1000, 7));
    if (posix_memalign(&aligned, 4096, 100) == 0)
        free(aligned);
    return copy;
}

static struct thing *make(const char *name)
{
    struct thing *thing = calloc(1, sizeof *thing);

    thing->name = churn(name);
    thing->spare = malloc(100000);
    return thing;
}

static void end(struct thing *thing)
{
    free(thing->name);
    free(thing->spare);
    free(thing);
}

__attribute__((constructor)) static void loaded(void)
{
    keep = make("loaded");
    pthread_key_create(&key, NULL);
}

__attribute__((destructor)) static void unloaded(void)
{
    end(keep);
    pthread_key_delete(key);
}

static void *in_thread(void *argument)
{
    free(churn("in a thread"));
    return argument;
}

PUBLIC int daxctl_new(struct thing **context)
{
    static atomic_int threads;
    pthread_t thread;

    /* The thread may come here itself, on behalf of its own first malloc. */
    if (atomic_fetch_add(&threads, 1) == 0 && pthread_create(&thread, NULL, in_thread, NULL) == 0)
        pthread_join(thread, NULL);
    pthread_setspecific(key, "x");
    *context = make("context");
    return 0;
}

PUBLIC struct thing *daxctl_unref(struct thing *context)
{
    end(context);
    return NULL;
}

PUBLIC struct thing *daxctl_region_get_first(struct thing *context)
{
    free(churn(context->name));
    return keep;
}

PUBLIC struct thing *daxctl_region_get_next(struct thing *region)
{
    free(churn(region->name));
    return NULL;
}

PUBLIC struct thing *daxctl_dev_get_first(struct thing *region)
{
    free(churn(region->name));
    return keep;
}

PUBLIC struct thing *daxctl_dev_get_next(struct thing *device)
{
    free(churn(device->name));
    return NULL;
}

PUBLIC struct thing *daxctl_dev_get_memory(struct thing *device)
{
    return device;
}

PUBLIC int daxctl_dev_get_target_node(struct thing *device)
{
    free(churn(device->name));
    return 0;
}

PUBLIC const char *daxctl_dev_get_devname(struct thing *device)
{
    (void)device;
    return "dax0.0";
}

PUBLIC int daxctl_dev_is_enabled(struct thing *device)
{
    (void)device;
    return 1;
}
