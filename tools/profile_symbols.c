/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see profile_symbols.h. */
#define _GNU_SOURCE
#include "profile_symbols.h"

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the C++ runtime: malloc()'s memory, or NULL where it is no mangled name. */
char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status);

static int find_no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                       char **file, Elf **elf)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)elf;
    return -1; /* dwfl_report_elf() has told where it is */
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_no_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

/* Whether the file is the one that the program had. */
static bool is_same(Dwfl_Module *found, const struct capture_module *module)
{
    char text[129] = "";
    const unsigned char *id;
    GElf_Addr address;
    int length = dwfl_module_build_id(found, &id, &address);

    for (int i = 0; i < length && i < 64; i++)
        snprintf(text + 2 * i, sizeof text - 2 * (size_t)i, "%02x", id[i]);
    return !module->build_id || strcmp(text, module->build_id) == 0;
}

static Dwfl_Module *report(Dwfl *dwfl, const struct capture_module *module)
{
    Dwfl_Module *found = dwfl_report_elf(dwfl, module->path, module->path, -1, module->base, true);

    return found && is_same(found, module) ? found : NULL;
}

/* Where that is in the sources, or NULL. Clang writes no index of addresses (.debug_aranges), by
 * which libdwfl finds the compilation unit: then they are asked one by one. */
static const char *find_line(Dwfl_Module *module, Dwarf_Addr address, int *number)
{
    Dwfl_Line *line = dwfl_module_getsrc(module, address);
    Dwarf_Die *unit = NULL;
    Dwarf_Line *found;
    Dwarf_Addr bias;

    if (line)
        return dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL);
    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != NULL)
        if (dwarf_haspc(unit, address - bias) > 0) {
            found = dwarf_getsrc_die(unit, address - bias);
            return found && !dwarf_lineno(found, number) ? dwarf_linesrc(found, NULL, NULL) : NULL;
        }
    return NULL;
}

static void find(Dwfl_Module *module, uint64_t base, struct capture_frame *frame)
{
    Dwarf_Addr address = base + frame->offset - 1; /* in the call, not behind it */
    const char *name = dwfl_module_addrname(module, address);
    const char *file = find_line(module, address, &frame->line);

    if (name) {
        if (strncmp(name, "_Z", 2) == 0) /* others may be those of types: i is int */
            frame->function = __cxa_demangle(name, NULL, NULL, NULL);
        if (!frame->function)
            frame->function = strdup(name);
    }
    if (file)
        frame->file = strdup(file);
}

void symbols_find(struct capture *capture)
{
    Dwfl *dwfl = dwfl_begin(&callbacks);
    Dwfl_Module **modules = calloc(capture->module_count + 1, sizeof(Dwfl_Module *));

    if (dwfl && modules) {
        dwfl_report_begin(dwfl);
        for (size_t i = 0; i < capture->module_count; i++)
            modules[i] = report(dwfl, &capture->modules[i]);
        dwfl_report_end(dwfl, NULL, NULL);
        for (size_t i = 0; i < capture->frame_count; i++) {
            struct capture_frame *frame = &capture->frames[i];

            if (frame->module != CAPTURE_NOWHERE && modules[frame->module])
                find(modules[frame->module], capture->modules[frame->module].base, frame);
        }
    }
    free(modules);
    if (dwfl)
        dwfl_end(dwfl);
}

void symbols_name(const struct capture *capture, size_t number, char *text, size_t size)
{
    const struct capture_frame *frame = &capture->frames[number];
    const char *path, *name;

    if (frame->function) {
        snprintf(text, size, "%s", frame->function);
        return;
    }
    path = frame->module == CAPTURE_NOWHERE ? "?" : capture->modules[frame->module].path;
    name = strrchr(path, '/');
    snprintf(text, size, "%s+%#lx", name ? name + 1 : path, frame->offset);
}

void symbols_describe(const struct capture *capture, size_t number, char *text, size_t size)
{
    const struct capture_frame *frame = &capture->frames[number];
    const char *name = frame->file ? strrchr(frame->file, '/') : NULL;
    size_t length;

    symbols_name(capture, number, text, size);
    length = strlen(text);
    if (frame->file)
        snprintf(text + length, size - length, " %s:%d", name ? name + 1 : frame->file,
                 frame->line);
}
