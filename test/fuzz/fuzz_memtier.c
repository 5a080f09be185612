/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* fuzz_memtier: names and values of memtier_ctl_set(): each line is a number and a name. */
#include "fuzz.h"

#include <memkind_memtier.h>
#include <stdio.h>

#define PREFIX "policy.dynamic_threshold."

/* The names that memkind_memtier.h has, of three tiers. */
static bool is_known(const char *name)
{
    static const char *const known[] = {
        PREFIX "thresholds[0].val", PREFIX "thresholds[0].min", PREFIX "thresholds[0].max",
        PREFIX "thresholds[1].val", PREFIX "thresholds[1].min", PREFIX "thresholds[1].max",
        PREFIX "check_cnt",         PREFIX "trigger",           PREFIX "degree"};

    const char *number = strchr(name, '[');
    char plain[80] = "";

    if (number && strlen(name) < sizeof plain) { /* zeroes before a number change nothing */
        while (number[1] == '0' && number[2] >= '0' && number[2] <= '9')
            number++;
        snprintf(plain, sizeof plain, "%.*s%s", (int)(strchr(name, '[') - name + 1), name,
                 number + 1);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(number && *plain ? plain : name, known[i]) == 0)
            return true;
    return false;
}

static void use(struct memtier_memory *memory)
{
    void *blocks[40];

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        blocks[i] = memtier_malloc(memory, 1 + i * 97);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        MUST(blocks[i]);
        memtier_free(blocks[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memtier_builder *builder = memtier_builder_new(MEMTIER_POLICY_DYNAMIC_THRESHOLD);
    char *text = text_of(data, size), *rest = text, *line;
    struct memtier_memory *memory;

    memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 1);
    memtier_builder_add_tier(builder, MEMKIND_REGULAR, 3);
    memtier_builder_add_tier(builder, MEMKIND_INTERLEAVE, 2);
    while ((line = strsep(&rest, "\n")) != NULL) {
        union {
            size_t size;
            unsigned count;
            float part;
        } value = {.size = strtoull(line, &line, 0)};

        line += *line == ' ';
        MUST(is_known(line) == (memtier_ctl_set(builder, line, &value) == 0));
    }
    memory = memtier_builder_construct_memtier_memory(builder);
    memtier_builder_delete(builder);
    if (memory)
        use(memory);
    memtier_delete_memtier_memory(memory);
    free(text);
    return 0;
}
