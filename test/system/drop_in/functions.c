/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * functions: every function of memkind.h of libmemkind 1.14.0, called at least once, with what a
 * program can rely on of its answer. Compiled against that version's headers, linked with its
 * library. Its argument is a folder for files. Prints what it saw; functions.expected has that.
 */
#include <memkind.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static void say(const char *what, long value)
{
    printf("%s: %ld\n", what, value);
}

static bool is_zero(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block[i])
            return false;
    return true;
}

/* Blocks of any kind. */
static void use(const char *name, memkind_t kind)
{
    unsigned char *block, *other;
    void *aligned = NULL;

    printf("-- %s\n", name);
    block = memkind_malloc(kind, 100);
    say("malloc", block != NULL);
    memset(block, 7, 100);
    say("usable_size is enough", memkind_malloc_usable_size(kind, block) >= 100);
    say("detect_kind", memkind_detect_kind(block) == kind);
    block = memkind_realloc(kind, block, 50000);
    say("realloc keeps", block && block[0] == 7 && block[99] == 7);
    other = memkind_defrag_reallocate(kind, block);
    if (other)
        block = other;
    say("defrag_reallocate keeps", block[0] == 7 && block[99] == 7);
    memkind_free(NULL, block);
    block = memkind_calloc(kind, 1000, 10);
    say("calloc is zero", block && is_zero(block, 10000));
    say("realloc to 0", memkind_realloc(kind, block, 0) == NULL);
    say("posix_memalign", memkind_posix_memalign(kind, &aligned, 4096, 300));
    say("aligned", (uintptr_t)aligned % 4096 == 0);
    memkind_free(kind, aligned);
    say("posix_memalign of 3", memkind_posix_memalign(kind, &aligned, 3, 300) == EINVAL);
    say("malloc of 0", memkind_malloc(kind, 0) == NULL);
    errno = 0;
    say("malloc of too much", memkind_malloc(kind, SIZE_MAX / 2) == NULL && errno == ENOMEM);
}

static void create(const char *folder)
{
    struct memkind_config *config = memkind_config_new();
    size_t size = 32 * MIB;
    memkind_t kind = NULL;
    void *area;

    say("create_kind", memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                           (memkind_bits_t)0, &kind));
    use("a created kind", kind);
    say("destroy_kind", memkind_destroy_kind(kind));

    say("create_pmem", memkind_create_pmem(folder, size, &kind));
    use("a file", kind);
    say("destroy_kind", memkind_destroy_kind(kind));
    say("create_pmem too small", memkind_create_pmem(folder, MEMKIND_PMEM_MIN_SIZE - 1, &kind));

    memkind_config_set_path(config, folder);
    memkind_config_set_size(config, size);
    memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
    say("create_pmem_with_config", memkind_create_pmem_with_config(config, &kind));
    memkind_config_delete(config);
    use("a file, conservative", kind);
    say("destroy_kind", memkind_destroy_kind(kind));

    area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("create_fixed", memkind_create_fixed(area, size, &kind));
    use("an area", kind);
    say("destroy_kind", memkind_destroy_kind(kind));
    munmap(area, size);
}

static void count(void *total, const char *text)
{
    *(size_t *)total += strlen(text);
}

static void ask(const char *folder)
{
    size_t active = 0, allocated = 0, resident = 0, printed = 0;
    char text[MEMKIND_ERROR_MESSAGE_SIZE] = "";
    void *block = memkind_malloc(MEMKIND_DEFAULT, 10 * MIB);
    memkind_t kind = NULL;

    printf("-- questions\n");
    memset(block, 1, 10 * MIB);
    say("get_version", memkind_get_version() >= 1014000);
    say("check_available", memkind_check_available(MEMKIND_DEFAULT));
    say("check_dax_path of an ordinary file system", memkind_check_dax_path(folder) != 0);
    say("get_capacity", memkind_get_capacity(MEMKIND_DEFAULT) > 0);
    say("get_kind_by_partition", memkind_get_kind_by_partition(0, &kind));
    say("the kind", kind == MEMKIND_DEFAULT);
    say("update_cached_stats", memkind_update_cached_stats());
    say("get_stat", memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_ACTIVE, &active));
    say("get_stat", memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_ALLOCATED, &allocated));
    say("get_stat", memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_RESIDENT, &resident));
    say("active, resident", active >= allocated && resident >= 10 * MIB);
    say("get_stat of what is no statistic",
        memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_MAX_VALUE, &active));
    say("stats_print", memkind_stats_print(count, &printed, MEMKIND_STAT_PRINT_ALL));
    say("something was printed", printed > 0);
    say("set_bg_threads", memkind_set_bg_threads(true));
    say("set_bg_threads", memkind_set_bg_threads(false));
    for (int error = 0; error >= -22; error--) {
        memkind_error_message(error, text, sizeof text);
        if (!text[0] || strlen(text) >= sizeof text)
            say("no text for", error);
    }
    memkind_free(MEMKIND_DEFAULT, block);
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        return 2;
    use("MEMKIND_DEFAULT", MEMKIND_DEFAULT);
    create(argv[1]);
    ask(argv[1]);
    return 0;
}
