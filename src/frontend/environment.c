/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see environment.h. */
#include "frontend/environment.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/log.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

#define ARENAS_MOST 4094 /* jemalloc's arena indices for the whole process */

/* Every variable of the library; whether its value was refused, which is said only once; and what
 * it was when it was first wanted. */
static struct {
    const char *name;
    atomic_bool rejected;
    _Atomic(const char *) kept; /* NULL: not wanted yet */
} variables[] = {
    {.name = "MEMKIND_HEAP_MANAGER"},
    {.name = "MEMKIND_HBW_NODES"},
    {.name = "MEMKIND_DAX_KMEM_NODES"},
    {.name = "MEMKIND_HBW_THRESHOLD"},
    {.name = "MEMKIND_ARENA_NUM_PER_KIND"},
    {.name = "MEMKIND_HOG_MEMORY"},
    {.name = "MEMKIND_BACKGROUND_THREADS"},
    {.name = "MEMKIND_BACKGROUND_THREAD_LIMIT"},
    {.name = "MEMKIND_CHECK"},
    {.name = "MEMKIND_DEBUG"},
};
#define VARIABLES (sizeof variables / sizeof variables[0])

static const char unset[] = ""; /* its address: the variable was not set */

/* A copy: the environment is the program's, which may change it at any time. */
static const char *copy(const char *value)
{
    size_t size = strlen(value) + 1;
    char *text = os_map(size, os_page_size());

    return text ? memcpy(text, value, size) : NULL;
}

static const char *keep(_Atomic(const char *) *kept, const char *value)
{
    const char *known = NULL, *fresh = value ? copy(value) : unset;

    if (!fresh)
        return value;
    if (!atomic_compare_exchange_strong(kept, &known, fresh) && fresh != unset)
        leftover_unmap((void *)fresh, strlen(fresh) + 1);
    fresh = known ? known : fresh;
    return fresh == unset ? NULL : fresh;
}

const char *environment_get(const char *name)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *known = atomic_load_explicit(&variables[i].kept, memory_order_acquire);

        if (strcmp(variables[i].name, name) != 0)
            continue;
        if (!known)
            return keep(&variables[i].kept, secure_getenv(name));
        return known == unset ? NULL : known;
    }
    return NULL;
}

void environment_reject(const char *name, const char *accepted)
{
    const char *value = environment_get(name);

    for (size_t i = 0; i < VARIABLES; i++) {
        if (strcmp(variables[i].name, name) != 0)
            continue;
        if (!atomic_exchange(&variables[i].rejected, true))
            log_always("%s=%.200s is not accepted; accepted: %s", name, value ? value : "",
                       accepted);
    }
}

/* A variable that is 0 or 1. Any other value is refused and counts as 0. */
static bool read_switch(const char *name)
{
    const char *value = environment_get(name);

    if (!value || strcmp(value, "0") == 0)
        return false;
    if (strcmp(value, "1") == 0)
        return true;
    environment_reject(name, "0 or 1");
    return false;
}

/* A variable that is a whole number from 1 to `most`. Any other value is refused. 0 where it is
 * refused or not set. */
static unsigned read_number(const char *name, unsigned long most, const char *accepted)
{
    const char *value = environment_get(name);
    char *end;
    unsigned long number;

    if (!value)
        return 0;
    errno = 0;
    number = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || number < 1 || number > most) {
        environment_reject(name, accepted);
        return 0;
    }
    return (unsigned)number;
}

static enum check_level read_check(void)
{
    const char *value = environment_get("MEMKIND_CHECK");

    if (!value || strcmp(value, "0") == 0)
        return CHECK_NOTHING;
    if (strcmp(value, "1") == 0)
        return CHECK_SAMPLE;
    if (strcmp(value, "2") == 0)
        return CHECK_ALL;
    environment_reject("MEMKIND_CHECK", "0, 1 or 2");
    return CHECK_NOTHING;
}

void environment_read(struct environment *environment)
{
    int error = errno;

    log_enable(read_switch("MEMKIND_DEBUG"));
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *value = secure_getenv(variables[i].name);

        if (value)
            log_debug("environment: %s=%s", variables[i].name, value);
    }
    environment->settings.hog_memory = read_switch("MEMKIND_HOG_MEMORY");
    environment->settings.arenas_per_heap =
        read_number("MEMKIND_ARENA_NUM_PER_KIND", ARENAS_MOST, "a whole number from 1 to 4094");
    environment->arenas_rejected =
        environment_get("MEMKIND_ARENA_NUM_PER_KIND") && !environment->settings.arenas_per_heap;
    environment->background_threads = read_switch("MEMKIND_BACKGROUND_THREADS");
    /* There is only one background thread, which every limit allows. */
    (void)read_number("MEMKIND_BACKGROUND_THREAD_LIMIT", (unsigned)-1 >> 1,
                      "a whole number from 1 on");
    environment->check = read_check();
    environment->settings.checked = environment->check == CHECK_ALL;
    environment->settings.looks = environment->check == CHECK_SAMPLE;
    environment->manager = environment_get("MEMKIND_HEAP_MANAGER");
    errno = error;
}
