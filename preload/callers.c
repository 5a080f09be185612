/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see callers.h. */
#include "callers.h"

#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpp_name.h"
#include "module.h"

#define PLACES ((size_t)1 << CALLERS_BITS)
#define TRIES 8 /* places where an address may be, from callers_place() on */

atomic_uint_fast64_t *callers;
_Thread_local bool callers_busy;

/* --- a caller --------------------------------------------------------------------------------- */

struct caller {
    const char *module; /* its file, without folders; NULL: it is in none */
    uintptr_t offset;   /* of the address that the call returns to */
    const char *path;
    bool is_loader;
    bool is_read;
    const struct module *file; /* NULL: it cannot be read */
};

static char program[PATH_MAX]; /* the loader does not name it */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct caller find_module(const void *address)
{
    struct caller caller = {0};
#if __GLIBC_PREREQ(2, 35)
    struct dl_find_object found;
    const struct link_map *map;

    if (_dl_find_object((char *)address - 1, &found))
        return caller;
    map = found.dlfo_link_map;
    caller.path = *map->l_name ? map->l_name : "/proc/self/exe";
    caller.module = base_of(*map->l_name ? map->l_name : program);
    caller.offset = (uintptr_t)address - map->l_addr;
    caller.is_loader = map->l_addr == _r_debug.r_ldbase;
#else
    (void)address;
#endif
    return caller;
}

static const struct module *file_of(struct caller *caller)
{
    if (!caller->is_read)
        caller->file = module_find(caller->path);
    caller->is_read = true;
    return caller->file;
}

/* --- the rules' questions --------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *word)
{
    return fnmatch(pattern, word, 0) == 0;
}

static bool is_in_module(struct caller *caller, size_t number)
{
    return matches(plan_rules()->rule[number].words[RULES_MODULE], caller->module);
}

static bool is_at_site(struct caller *caller, size_t number)
{
    const struct rule *rule = &plan_rules()->rule[number];

    return caller->offset == rule->offset &&
           strcmp(base_of(rule->words[RULES_SITE]), caller->module) == 0;
}

static bool is_at_line(struct caller *caller, size_t number)
{
    const struct module *file = file_of(caller);

    return file && module_is_at(file, caller->offset - 1, number);
}

/* Whether one of the function's names is as asked for. */
static bool has_name(struct caller *caller, const char *pattern,
                     bool (*is_it)(const char *name, const char *pattern))
{
    const struct module *file = file_of(caller);
    const char *name;

    for (size_t i = 0; file && (name = module_function(file, caller->offset - 1, i)); i++)
        if (is_it(name, pattern))
            return true;
    return false;
}

static bool is_in_function(struct caller *caller, size_t number)
{
    return has_name(caller, plan_rules()->rule[number].words[RULES_FUNCTION], cpp_name_is_function);
}

static bool is_of_type(struct caller *caller, size_t number)
{
    return has_name(caller, plan_rules()->rule[number].words[RULES_TYPE], cpp_name_is_type);
}

/* What is asked of a caller; NULL: it is asked of each block, or the word asks for nothing. */
static bool (*const questions[RULES_CONDITIONS])(struct caller *, size_t number) = {
    [RULES_MODULE] = is_in_module, [RULES_FUNCTION] = is_in_function, [RULES_SITE] = is_at_site,
    [RULES_LINE] = is_at_line,     [RULES_TYPE] = is_of_type,
};

static bool holds_for(struct caller *caller, size_t number)
{
    const struct rule *rule = &plan_rules()->rule[number];

    for (int i = 0; i < RULES_CONDITIONS; i++)
        if (rule->asks[i] && questions[i] && (!caller->module || !questions[i](caller, number)))
            return false;
    return true;
}

/* --- the table -------------------------------------------------------------------------------- */

static void remember(uint64_t address, const struct plan *plan)
{
    uint64_t mine = address << CALLERS_BITS | plan->number;
    size_t first = callers_place(address);

    /* The place that is looked at first is the quickest; who was there is found behind it. */
    for (size_t i = 0; i < TRIES && mine >> CALLERS_BITS == address; i++) {
        uint64_t there =
            atomic_exchange_explicit(&callers[(first + i) % PLACES], mine, memory_order_release);

        if (!there || there >> CALLERS_BITS == mine >> CALLERS_BITS)
            return;
        mine = there;
        address = there >> CALLERS_BITS;
    }
}

/* Behind the first place. NULL: it is not there. */
static const struct plan *recall(uint64_t address)
{
    size_t first = callers_place(address);

    for (size_t i = 0; i < TRIES; i++) {
        uint64_t there = atomic_load_explicit(&callers[(first + i) % PLACES], memory_order_acquire);

        if (there >> CALLERS_BITS == address)
            return plan_get((uint16_t)there);
    }
    return NULL;
}

static const struct plan *find_out(const void *address)
{
    const struct rules *rules = plan_rules();
    bool *holds = malloc(rules->count + 1);
    struct caller caller = find_module(address);
    const struct plan *plan = NULL;

    if (!holds)
        return NULL;
    for (size_t i = 0; i < rules->count; i++)
        holds[i] = holds_for(&caller, i);
    plan = plan_of(holds, caller.is_loader);
    free(holds);
    return plan;
}

const struct plan *callers_find(const void *caller)
{
    const struct plan *plan = recall((uintptr_t)caller);
    int error = errno, cancel;

    if (plan || callers_busy)
        return plan ? plan : plan_none();
    callers_busy = true;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* malloc is no cancellation point */
    plan = find_out(caller);
    pthread_setcancelstate(cancel, NULL);
    callers_busy = false;
    if (plan)
        remember((uintptr_t)caller, plan);
    errno = error;
    return plan ? plan : plan_none();
}

/* --- what the loader does --------------------------------------------------------------------- */

static atomic_ullong changes; /* modules that came and went, when the table was emptied */

static int read_changes(struct dl_phdr_info *info, size_t size, void *to)
{
    (void)size;
    *(unsigned long long *)to = info->dlpi_adds + info->dlpi_subs;
    return 1; /* all modules tell the same */
}

void callers_follow_loader(void)
{
    unsigned long long now = 0;

    (void)dl_iterate_phdr(read_changes, &now);
    if (atomic_exchange(&changes, now) == now)
        return;
    for (size_t i = 0; i < PLACES; i++)
        if (atomic_load_explicit(&callers[i], memory_order_relaxed))
            atomic_store_explicit(&callers[i], 0, memory_order_relaxed);
}

bool callers_begin(void)
{
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    program[length > 0 ? length : 0] = '\0';
    callers = calloc(PLACES, sizeof *callers);
    cpp_name_begin();
    return callers != NULL;
}
