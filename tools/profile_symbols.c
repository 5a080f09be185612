/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see profile_symbols.h. */
#define _GNU_SOURCE
#include "profile_symbols.h"

#include <dwarf.h>
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

/* The compilation unit that has the address. Clang writes no index of addresses (.debug_aranges),
 * by which libdwfl finds it: then they are asked one by one. */
static Dwarf_Die *find_unit(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);

    if (unit)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)) != NULL)
        if (dwarf_haspc(unit, address - *bias) > 0)
            return unit;
    return NULL;
}

/* --- what is at an address -------------------------------------------------------------------- */

/* A further one, called by those that are there. Texts are copied; a name may be mangled. */
static void add_place(struct capture_frame *frame, const char *name, const char *file, int line)
{
    struct capture_place *place;

    frame->places =
        capture_must(reallocarray(frame->places, frame->place_count + 1, sizeof *frame->places));
    place = &frame->places[frame->place_count++];
    *place = (struct capture_place){NULL, file ? capture_must(strdup(file)) : NULL, line};
    if (name && strncmp(name, "_Z", 2) == 0) /* others may be those of types: i is int */
        place->function = __cxa_demangle(name, NULL, NULL, NULL);
    if (name && !place->function)
        place->function = capture_must(strdup(name));
}

static const char *name_of(Dwarf_Die *function)
{
    Dwarf_Attribute found;
    const char *name = NULL;

    if (dwarf_attr_integrate(function, DW_AT_linkage_name, &found))
        name = dwarf_formstring(&found);
    return name ? name : dwarf_diename(function);
}

/* Where an inlined function was called. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, const char **file, int *line)
{
    Dwarf_Attribute found;
    Dwarf_Files *files;
    Dwarf_Word number;
    size_t count;

    *file = NULL;
    *line = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &found), &number) == 0 &&
        dwarf_getsrcfiles(unit, &files, &count) == 0)
        *file = dwarf_filesrc(files, number, NULL, NULL);
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &found), &number) == 0)
        *line = (int)number;
}

/* The scopes that the address is in, innermost first: those of the function that it is a part of,
 * not those in which an inlined one was written. */
static int find_scopes(Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die **scopes)
{
    Dwarf_Die innermost;
    int count = dwarf_getscopes(unit, address, scopes);

    if (count <= 0)
        return 0;
    innermost = **scopes;
    free(*scopes);
    return dwarf_getscopes_die(&innermost, scopes);
}

/* Inlined functions become places of their own; file and line are those in the one around them. */
static void find_inlined(Dwarf_Die *unit, Dwarf_Addr address, struct capture_frame *frame,
                         const char **file, int *line)
{
    Dwarf_Die *scopes = NULL;
    int count = find_scopes(unit, address, &scopes);

    for (int i = 0; i < count && dwarf_tag(&scopes[i]) != DW_TAG_subprogram; i++)
        if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine) {
            add_place(frame, name_of(&scopes[i]), *file, *line);
            find_call(unit, &scopes[i], file, line);
        }
    if (count > 0)
        free(scopes);
}

static void find(Dwfl_Module *module, uint64_t base, struct capture_frame *frame)
{
    Dwarf_Addr address = base + frame->offset - 1, bias = 0; /* in the call, not behind it */
    const char *name = dwfl_module_addrname(module, address), *file = NULL;
    Dwarf_Die *unit = find_unit(module, address, &bias);
    Dwarf_Line *found = unit ? dwarf_getsrc_die(unit, address - bias) : NULL;
    int line = 0;

    if (found && !dwarf_lineno(found, &line))
        file = dwarf_linesrc(found, NULL, NULL);
    if (unit)
        find_inlined(unit, address - bias, frame, &file, &line);
    if (name || file)
        add_place(frame, name, file, line);
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

/* NULL: nothing is known. */
static const struct capture_place *place_of(const struct capture *capture, size_t frame,
                                            size_t place)
{
    return place < capture->frames[frame].place_count ? &capture->frames[frame].places[place]
                                                      : NULL;
}

size_t symbols_count(const struct capture *capture, size_t frame)
{
    size_t count = capture->frames[frame].place_count;

    return count ? count : 1;
}

void symbols_name(const struct capture *capture, size_t number, size_t which, char *text,
                  size_t size)
{
    const struct capture_frame *frame = &capture->frames[number];
    const struct capture_place *place = place_of(capture, number, which);
    const char *path, *name;

    if (place && place->function) {
        snprintf(text, size, "%s", place->function);
        return;
    }
    path = frame->module == CAPTURE_NOWHERE ? "?" : capture->modules[frame->module].path;
    name = strrchr(path, '/');
    snprintf(text, size, "%s+%#lx", name ? name + 1 : path, frame->offset);
}

void symbols_describe(const struct capture *capture, size_t number, size_t which, char *text,
                      size_t size)
{
    const struct capture_place *place = place_of(capture, number, which);
    const char *name = place && place->file ? strrchr(place->file, '/') : NULL;
    size_t length;

    symbols_name(capture, number, which, text, size);
    length = strlen(text);
    if (place && place->file)
        snprintf(text + length, size - length, " %s:%d", name ? name + 1 : place->file,
                 place->line);
}

void symbols_describe_call(const struct capture *capture, size_t frame, char *text, size_t size)
{
    size_t last = symbols_count(capture, frame) - 1, length;

    symbols_describe(capture, frame, 0, text, size);
    length = strlen(text);
    if (last && length + sizeof ", in " < size) {
        strcpy(text + length, ", in ");
        length += strlen(", in ");
        symbols_describe(capture, frame, last, text + length, size - length);
    }
}
