/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see module.h. */
#include "module.h"

#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_id.h"
#include "lines.h"
#include "plan.h"

struct symbol {
    uintptr_t address;
    size_t size;
    uint32_t name;
};

struct range {
    uintptr_t low, high;
    size_t rule;
};

struct module {
    const struct module *next;
    dev_t device; /* which file it was */
    ino_t number;
    struct timespec changed;
    struct symbol *symbols; /* by address */
    size_t symbol_count;
    struct lines_section names; /* ends with 0 */
    struct range *ranges;
    size_t range_count, range_room;
};

/* --- sections --------------------------------------------------------------------------------- */

struct file {
    int number;
    size_t size;
    ElfW(Ehdr) head;
    struct lines_section headers, names;
};

/* A copy, so that nobody who cuts the file down can end the process; a 0 is behind it. */
static struct lines_section read_bytes(const struct file *file, uint64_t offset, uint64_t size)
{
    struct lines_section section = {0};
    unsigned char *bytes;
    size_t done = 0;

    if (!size || offset > file->size || size > file->size - offset)
        return section;
    bytes = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return section;
    while (done < size) {
        ssize_t count = pread(file->number, bytes + done, size - done, (off_t)(offset + done));

        if (count <= 0) {
            munmap(bytes, size + 1);
            return section;
        }
        done += (size_t)count;
    }
    section.bytes = bytes;
    section.size = size;
    return section;
}

static void release(struct lines_section section)
{
    if (section.bytes)
        munmap((void *)section.bytes, section.size + 1);
}

/* NULL: there are no more. */
static const ElfW(Shdr) * header_of(const struct file *file, size_t number)
{
    if ((number + 1) * sizeof(ElfW(Shdr)) > file->headers.size)
        return NULL;
    return (const ElfW(Shdr) *)file->headers.bytes + number;
}

static const char *name_of(const struct file *file, const ElfW(Shdr) * header)
{
    return file->names.bytes && header->sh_name < file->names.size
               ? (const char *)file->names.bytes + header->sh_name
               : "";
}

static struct lines_section read_section(const struct file *file, const ElfW(Shdr) * header)
{
    if (!header || header->sh_type == SHT_NOBITS || header->sh_flags & SHF_COMPRESSED)
        return (struct lines_section){0};
    return read_bytes(file, header->sh_offset, header->sh_size);
}

static const ElfW(Shdr) * find_named(const struct file *file, const char *name)
{
    const ElfW(Shdr) * header;

    for (size_t i = 0; (header = header_of(file, i)); i++)
        if (strcmp(name_of(file, header), name) == 0)
            return header;
    return NULL;
}

static const ElfW(Shdr) * find_typed(const struct file *file, unsigned type)
{
    const ElfW(Shdr) * header;

    for (size_t i = 0; (header = header_of(file, i)); i++)
        if (header->sh_type == type && header->sh_entsize == sizeof(ElfW(Sym)))
            return header;
    return NULL;
}

static void close_file(struct file *file)
{
    release(file->headers);
    release(file->names);
    if (file->number >= 0)
        close(file->number);
}

static bool open_file(struct file *file, const char *path, struct stat *status)
{
    struct lines_section head;

    *file = (struct file){.number = open(path, O_RDONLY | O_CLOEXEC)};
    if (file->number < 0 || fstat(file->number, status) || !S_ISREG(status->st_mode))
        return false;
    file->size = (size_t)status->st_size;
    head = read_bytes(file, 0, sizeof file->head);
    if (!head.bytes)
        return false;
    memcpy(&file->head, head.bytes, sizeof file->head);
    release(head);
    return memcmp(file->head.e_ident, ELFMAG, SELFMAG) == 0 &&
           file->head.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
           file->head.e_shentsize == sizeof(ElfW(Shdr));
}

static void read_headers(struct file *file)
{
    file->headers =
        read_bytes(file, file->head.e_shoff, (uint64_t)file->head.e_shnum * sizeof(ElfW(Shdr)));
    file->names = read_section(file, header_of(file, file->head.e_shstrndx));
}

/* --- symbols ---------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct symbol *left = a, *right = b;

    return left->address < right->address ? -1 : left->address > right->address;
}

/* Whether there is a table of all symbols, and not just of those that are exported. */
static bool read_symbols(struct module *module, const struct file *file)
{
    const ElfW(Shdr) *all = find_typed(file, SHT_SYMTAB);
    const ElfW(Shdr) *header = all ? all : find_typed(file, SHT_DYNSYM);
    struct lines_section table = read_section(file, header);
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)table.bytes;
    size_t count = table.size / sizeof *symbols;

    free(module->symbols);
    release(module->names);
    module->symbol_count = 0;
    module->names =
        header ? read_section(file, header_of(file, header->sh_link)) : (struct lines_section){0};
    module->symbols = module->names.bytes && count ? malloc(count * sizeof *module->symbols) : NULL;
    for (size_t i = 0; module->symbols && i < count; i++) {
        unsigned type = symbols[i].st_info & 0xf;

        if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbols[i].st_shndx != SHN_UNDEF &&
            symbols[i].st_name < module->names.size)
            module->symbols[module->symbol_count++] = (struct symbol){
                symbols[i].st_value, symbols[i].st_size, (uint32_t)symbols[i].st_name};
    }
    if (module->symbols)
        qsort(module->symbols, module->symbol_count, sizeof *module->symbols, by_address);
    release(table);
    return all != NULL;
}

const char *module_function(const struct module *module, uintptr_t address, size_t number)
{
    size_t low = 0, high = module->symbol_count;
    const struct symbol *symbol;

    while (low < high) { /* the first one behind the address */
        size_t middle = low + (high - low) / 2;

        if (module->symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low <= number)
        return NULL;
    symbol = &module->symbols[low - 1 - number];
    if (symbol->address != module->symbols[low - 1].address)
        return NULL;
    if (symbol->size && address - symbol->address >= symbol->size)
        return NULL;
    return (const char *)module->names.bytes + symbol->name;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void note_range(struct module *module, const struct range *range)
{
    if (module->range_count == module->range_room) {
        size_t room = module->range_room ? 2 * module->range_room : 16;
        struct range *ranges = realloc(module->ranges, room * sizeof *ranges);

        if (!ranges)
            return;
        module->ranges = ranges;
        module->range_room = room;
    }
    module->ranges[module->range_count++] = *range;
}

static void note_row(void *to, const struct lines_row *row)
{
    const struct rules *rules = plan_rules();

    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rule[i];

        if (rule->asks[RULES_LINE] && rule->source_line == row->line &&
            lines_is_of(row, rule->words[RULES_LINE])) {
            const struct range range = {row->low, row->high, i};

            note_range(to, &range);
        }
    }
}

static void read_lines(struct module *module, const struct file *file)
{
    struct lines_sections sections = {
        .line = read_section(file, find_named(file, ".debug_line")),
        .line_strings = read_section(file, find_named(file, ".debug_line_str")),
        .strings = {0},
    };

    if (sections.line.bytes)
        sections.strings = read_section(file, find_named(file, ".debug_str"));
    lines_each(&sections, note_row, module);
    release(sections.line);
    release(sections.line_strings);
    release(sections.strings);
}

bool module_is_at(const struct module *module, uintptr_t address, size_t rule)
{
    for (size_t i = 0; i < module->range_count; i++)
        if (module->ranges[i].rule == rule && address >= module->ranges[i].low &&
            address < module->ranges[i].high)
            return true;
    return false;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool rules_ask_for(enum rules_condition condition)
{
    const struct rules *rules = plan_rules();

    for (size_t i = 0; i < rules->count; i++)
        if (rules->rule[i].asks[condition])
            return true;
    return false;
}

/* Where the debug information of a stripped file is, by its build id. False: it has none. */
static bool find_debug_file(const struct file *file, char *path, size_t room)
{
    struct lines_section note = read_section(file, find_named(file, ".note.gnu.build-id"));
    size_t id_length, length = 0;
    const unsigned char *id = build_id_find(note.bytes, note.size, &id_length);

    if (id)
        length = (size_t)snprintf(path, room, "/usr/lib/debug/.build-id/%02x/", id[0]);
    for (size_t i = 1; id && i < id_length && length < room; i++)
        length += (size_t)snprintf(path + length, room - length, "%02x", id[i]);
    if (id && length < room)
        length += (size_t)snprintf(path + length, room - length, ".debug");
    release(note);
    return id && length < room;
}

static void read_debug_file(struct module *module, const struct file *stripped)
{
    char path[128];
    struct file file;
    struct stat status;

    if (!find_debug_file(stripped, path, sizeof path))
        return;
    if (open_file(&file, path, &status)) {
        read_headers(&file);
        if (find_typed(&file, SHT_SYMTAB))
            (void)read_symbols(module, &file);
        read_lines(module, &file);
    }
    close_file(&file);
}

/* Those that were read, never freed: any thread may be reading one. */
static _Atomic(const struct module *) modules;

static const struct module *find_known(const struct stat *status)
{
    const struct module *module = atomic_load_explicit(&modules, memory_order_acquire);

    while (module && (module->device != status->st_dev || module->number != status->st_ino ||
                      module->changed.tv_sec != status->st_mtim.tv_sec ||
                      module->changed.tv_nsec != status->st_mtim.tv_nsec))
        module = module->next;
    return module;
}

static const struct module *read_module(struct file *file, const struct stat *status)
{
    struct module *module = calloc(1, sizeof *module);
    bool has_all;

    if (!module)
        return NULL;
    module->device = status->st_dev;
    module->number = status->st_ino;
    module->changed = status->st_mtim;
    read_headers(file);
    has_all = read_symbols(module, file);
    if (rules_ask_for(RULES_LINE))
        read_lines(module, file);
    if (!has_all)
        read_debug_file(module, file);
    module->next = atomic_load_explicit(&modules, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&modules, &module->next, module,
                                                  memory_order_release, memory_order_relaxed))
        continue;
    return module;
}

const struct module *module_find(const char *path)
{
    const struct module *module = NULL;
    struct file file;
    struct stat status;

    if (open_file(&file, path, &status)) {
        module = find_known(&status);
        if (!module)
            module = read_module(&file, &status);
    }
    close_file(&file);
    return module;
}
