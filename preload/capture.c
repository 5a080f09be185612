/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why and thread rules: see capture.h.
 *
 * The modules are those that are loaded at the end: of one that was closed before, addresses stay
 * addresses.
 */
#include "capture.h"

#include <memkind.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blocks.h"
#include "build_id.h"
#include "hotness.h"
#include "output.h"
#include "sample.h"
#include "settings.h"
#include "sites.h"
#include "timeline.h"

static char path[PATH_MAX]; /* the program may change its folder and its environment */
static struct output output;

static unsigned long whole(double number)
{
    return number > 0 ? (unsigned long)(number + 0.5) : 0;
}

/* --- modules ---------------------------------------------------------------------------------- */

#define MODULES 2048

static struct {
    size_t count;
    struct module {
        uintptr_t base, begin, end;
    } module[MODULES];
} modules;

/* A line each: what would break it is a question mark. */
static void print_line(const char *name, const char *text)
{
    char line[PATH_MAX];
    size_t length = 0;

    for (; text[length] && length < sizeof line - 1; length++)
        line[length] = (unsigned char)text[length] < ' ' ? '?' : text[length];
    line[length] = '\0';
    output_print(&output, "%s%s\n", name, line);
}

static void print_program(const char *name)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    program[length > 0 ? length : 0] = '\0';
    print_line(name, length > 0 ? program : program_invocation_name);
}

static void print_build_id(const char *notes, size_t size)
{
    size_t length;
    const unsigned char *id = build_id_find(notes, size, &length);

    if (!id)
        return;
    output_print(&output, " build-id=");
    for (size_t i = 0; i < length; i++)
        output_print(&output, "%02x", id[i]);
}

static int print_module(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct module *module = &modules.module[modules.count];

    (void)size, (void)argument;
    if (modules.count == MODULES)
        return 1;
    *module = (struct module){info->dlpi_addr, UINTPTR_MAX, 0};
    for (const ElfW(Phdr) *part = info->dlpi_phdr; part < info->dlpi_phdr + info->dlpi_phnum;
         part++) {
        uintptr_t begin = info->dlpi_addr + part->p_vaddr;

        if (part->p_type != PT_LOAD)
            continue;
        if (begin < module->begin)
            module->begin = begin;
        if (begin + part->p_memsz > module->end)
            module->end = begin + part->p_memsz;
    }
    output_print(&output, "module %zu base=%#lx end=%#lx", modules.count, module->base,
                 module->end);
    for (const ElfW(Phdr) *part = info->dlpi_phdr; part < info->dlpi_phdr + info->dlpi_phnum;
         part++)
        if (part->p_type == PT_NOTE)
            print_build_id((const char *)info->dlpi_addr + part->p_vaddr, part->p_memsz);
    if (modules.count++ && *info->dlpi_name)
        print_line(" path=", info->dlpi_name);
    else
        print_program(" path=");
    return 0;
}

static void print_frame(const char *before, uintptr_t address)
{
    for (size_t i = 0; i < modules.count; i++) {
        const struct module *module = &modules.module[i];

        if (address >= module->begin && address < module->end) {
            output_print(&output, "%s%zu+%#lx", before, i, address - module->base);
            return;
        }
    }
    output_print(&output, "%s?+%#lx", before, address);
}

/* --- sites, points, blocks -------------------------------------------------------------------- */

static void print_classes(const char *name, const double *classes, size_t count)
{
    const char *between = "";

    output_print(&output, " %s=", name);
    for (size_t i = 0; i < count; i++)
        if (classes[i] > 0) {
            output_print(&output, "%s%zu:%lu", between, i, whole(classes[i]));
            between = ",";
        }
}

static void print_site(size_t number, const struct site *site)
{
    output_print(&output,
                 "site %zu kind=%s samples=%lu calls=%lu bytes=%lu live-calls=%lu live=%lu "
                 "peak=%lu at-peak=%lu size-least=%zu size-most=%zu freed=%lu lifetime-least=%lu "
                 "lifetime-most=%lu lifetime-mean=%lu accesses=%lu",
                 number, site->kind < MEMKIND_NUM_BASE_KIND ? settings_kinds[site->kind] : "-",
                 site->samples, whole(site->calls), whole(site->bytes), whole(site->live_calls),
                 whole(site->live), whole(site->peak), whole(site->at_peak), site->size_least,
                 site->size_most, whole(site->freed), site->lifetime_least, site->lifetime_most,
                 whole(site->freed > 0 ? site->lifetime_sum / site->freed : 0),
                 whole(site->accesses));
    print_classes("sizes", site->sizes, SITES_SIZES);
    print_classes("lifetimes", site->lifetimes, SITES_LIFETIMES);
    output_print(&output, " stack=");
    for (unsigned i = 0; i < site->frame_count; i++)
        print_frame(i ? "," : "", site->frames[i]);
    output_print(&output, "\n");
}

static void print_point(const struct timeline_point *point, uint64_t begun)
{
    const char *between = "";

    output_print(&output, "point time=%lu live=", point->time - begun);
    for (size_t i = 0; i < point->sites; i++)
        if (whole(point->live[i])) {
            output_print(&output, "%s%zu:%lu", between, i, whole(point->live[i]));
            between = ",";
        }
    output_print(&output, "\n");
}

static void print_block(const struct block *block, uint64_t begun)
{
    if (!block->address)
        return;
    output_print(&output, "block site=%u address=%#lx size=%zu born=%lu", block->site,
                 block->address, block->size, block->born - begun);
    if (block->died)
        output_print(&output, " died=%lu", block->died - begun);
    output_print(&output, " accesses=%lu\n", whole(block->accesses));
}

/* --- the file --------------------------------------------------------------------------------- */

static void print_head(const struct profile *profile)
{
    struct timespec time;
    uint64_t started;

    clock_gettime(CLOCK_REALTIME, &time);
    started = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec -
              (profile->ended - profile->begun);
    output_print(&output, "memkind-profile 1\n");
    print_program("program=");
    output_print(&output, "process=%d\nrate=%zu\nstarted=%lu\nclock=%lu\nduration=%lu\n",
                 (int)getpid(), profile->rate, started, profile->begun,
                 profile->ended - profile->begun);
    output_print(&output, "method=%s\nrounds=%lu\npeak=%lu\nlost=%lu\n",
                 hotness_method() ? hotness_method() : "none", hotness_rounds(),
                 whole(profile->sites->peak), profile->lost);
}

static void print_all(const struct profile *profile)
{
    const struct blocks *blocks = profile->blocks;

    print_head(profile);
    modules.count = 0;
    dl_iterate_phdr(print_module, NULL);
    for (size_t i = 0; i < profile->sites->count; i++)
        if (profile->sites->site[i].samples)
            print_site(i, &profile->sites->site[i]);
    for (size_t i = 0; i < profile->timeline->count; i++)
        print_point(&profile->timeline->points[i], profile->begun);
    for (size_t i = 0; i < BLOCKS_PAST && i < blocks->past_count; i++)
        print_block(&blocks->past[i], profile->begun);
    for (size_t i = 0; i < BLOCKS_SLOTS; i++)
        print_block(&blocks->slot[i], profile->begun);
    output_print(&output, "end\n");
    output_flush(&output);
}

bool capture_begin(void)
{
    const char *name = settings_profile();
    size_t length = 0;

    if (*name != '/' && getcwd(path, sizeof path)) {
        length = strlen(path);
        path[length++] = '/';
    }
    if (strlen(name) >= sizeof path - length - sizeof ".2147483647")
        return false;
    memcpy(path + length, name, strlen(name) + 1);
    return sample_begin(settings_profile_rate(), hotness_begin);
}

__attribute__((destructor)) static void write_capture(void)
{
    int error = errno;
    const struct profile *profile;
    size_t length = strlen(path);

    hotness_end();
    profile = sample_end();

    if (!profile || !profile->sites->count)
        return;
    snprintf(path + length, sizeof path - length, ".%d", (int)getpid());
    output.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    path[length] = '\0';
    if (output.file >= 0) {
        print_all(profile);
        close(output.file);
    }
    errno = error;
}
