/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see lines.h. Numbers are DWARF's, chapter 6.2. */
#include "lines.h"

#include <string.h>

/* --- bytes ------------------------------------------------------------------------------------ */

struct reader {
    const unsigned char *at, *end;
    bool is_broken;
};

static uint64_t number(struct reader *reader, size_t size)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < size || size > sizeof value) {
        reader->is_broken = true;
        reader->at = reader->end;
        return 0;
    }
    memcpy(&value, reader->at, size); /* of this machine's order: the file is its own */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = size ? value >> (8 * (sizeof value - size)) : 0;
#endif
    reader->at += size;
    return value;
}

static void skip(struct reader *reader, uint64_t size)
{
    if (size > (uint64_t)(reader->end - reader->at)) {
        reader->is_broken = true;
        size = (uint64_t)(reader->end - reader->at);
    }
    reader->at += size;
}

/* LEB128: seven bits a byte; `bits` tells how many there were. */
static uint64_t leb128(struct reader *reader, unsigned *bits)
{
    uint64_t value = 0, byte;

    *bits = 0;
    do {
        byte = number(reader, 1);
        value |= *bits < 64 ? (byte & 0x7f) << *bits : 0;
        *bits += 7;
    } while (byte & 0x80);
    return value;
}

static uint64_t unsigned_number(struct reader *reader)
{
    unsigned bits;

    return leb128(reader, &bits);
}

/* The highest bit is the sign. */
static int64_t signed_number(struct reader *reader)
{
    unsigned bits;
    uint64_t value = leb128(reader, &bits);

    if (bits < 64 && value >> (bits - 1) & 1)
        value |= ~(uint64_t)0 << bits;
    return (int64_t)value;
}

static const char *string(struct reader *reader)
{
    const char *text = (const char *)reader->at;
    const unsigned char *end = memchr(reader->at, 0, (size_t)(reader->end - reader->at));

    if (!end) {
        reader->is_broken = true;
        reader->at = reader->end;
        return "";
    }
    reader->at = end + 1;
    return text;
}

static const char *string_at(const struct lines_section *section, uint64_t offset)
{
    struct reader reader = {section->bytes, section->bytes + section->size, false};

    if (!section->bytes)
        return "";
    skip(&reader, offset);
    return reader.is_broken ? "" : string(&reader);
}

/* --- a table's head --------------------------------------------------------------------------- */

struct lines_table {
    const struct lines_sections *sections;
    unsigned version;
    size_t offset_size; /* 8 in DWARF's 64-bit form */
    unsigned least_step, line_range, opcode_base;
    int line_base;
    const unsigned char *operands; /* how many a standard opcode has, from opcode 1 on */
    struct reader files;           /* folders and files, in the version's form */
    struct reader program;
};

/* What is behind the table is left in `all`. False: it cannot be read. */
static bool read_head(struct reader *all, const struct lines_sections *sections,
                      struct lines_table *table)
{
    uint64_t length = number(all, 4), head;
    struct reader reader;

    *table = (struct lines_table){.sections = sections, .offset_size = 4};
    if (length == 0xffffffff) {
        length = number(all, 8);
        table->offset_size = 8;
    }
    reader = *all;
    skip(all, length);
    reader.end = all->at;
    table->version = (unsigned)number(&reader, 2);
    if (table->version < 2 || table->version > 5)
        return false;
    if (table->version == 5)
        skip(&reader, 2); /* sizes of an address and of a segment */
    head = number(&reader, table->offset_size);
    table->program = reader;
    skip(&table->program, head);
    reader.end = table->program.at;
    table->least_step = (unsigned)number(&reader, 1);
    skip(&reader, table->version >= 4 ? 2 : 1); /* operations a step; is_stmt */
    table->line_base = (signed char)number(&reader, 1);
    table->line_range = (unsigned)number(&reader, 1);
    table->opcode_base = (unsigned)number(&reader, 1);
    table->operands = reader.at;
    skip(&reader, table->opcode_base ? table->opcode_base - 1 : 0);
    table->files = reader;
    return !reader.is_broken && !table->program.is_broken && table->line_range &&
           table->opcode_base;
}

/* --- files ------------------------------------------------------------------------------------ */

#define FORMS 8

struct entry {
    const char *path;
    uint64_t folder;
};

/* A value in one of the forms of version 5. */
static void read_form(struct reader *reader, const struct lines_table *table, uint64_t form,
                      const char **text, uint64_t *value)
{
    static const unsigned char sizes[] = {[0x05] = 2, [0x06] = 4, [0x07] = 8, [0x0b] = 1};

    *text = "";
    *value = 0;
    if (form == 0x08) /* DW_FORM_string */
        *text = string(reader);
    else if (form == 0x1f) /* DW_FORM_line_strp */
        *text = string_at(&table->sections->line_strings, number(reader, table->offset_size));
    else if (form == 0x0e) /* DW_FORM_strp */
        *text = string_at(&table->sections->strings, number(reader, table->offset_size));
    else if (form == 0x0f) /* DW_FORM_udata */
        *value = unsigned_number(reader);
    else if (form == 0x1e) /* DW_FORM_data16 */
        skip(reader, 16);
    else if (form == 0x09) /* DW_FORM_block */
        skip(reader, unsigned_number(reader));
    else if (form < sizeof sizes && sizes[form])
        *value = number(reader, sizes[form]);
    else
        reader->is_broken = true;
}

/* One of version 5's two lists: the entry with that number, and the reader behind the list. */
static struct entry read_list(struct reader *reader, const struct lines_table *table,
                              uint64_t wanted)
{
    struct entry found = {"", 0};
    uint64_t what[FORMS], form[FORMS], count, forms = number(reader, 1);

    reader->is_broken |= forms > FORMS;
    for (uint64_t i = 0; i < forms && !reader->is_broken; i++) {
        what[i] = unsigned_number(reader);
        form[i] = unsigned_number(reader);
    }
    count = unsigned_number(reader);
    for (uint64_t entry = 0; entry < count && !reader->is_broken && forms; entry++)
        for (uint64_t i = 0; i < forms; i++) {
            const char *text;
            uint64_t value;

            read_form(reader, table, form[i], &text, &value);
            if (entry == wanted && what[i] == 1) /* DW_LNCT_path */
                found.path = text;
            if (entry == wanted && what[i] == 2) /* DW_LNCT_directory_index */
                found.folder = value;
        }
    return found;
}

/* A file's own path, and the path of its folder. */
static void find_file(const struct lines_table *table, uint64_t file, const char **path,
                      const char **folder)
{
    struct reader folders = table->files, files = folders;
    struct entry found = {"", 0};
    const char *text;

    if (table->version == 5) {
        (void)read_list(&files, table, UINT64_MAX);
        found = read_list(&files, table, file);
        *path = found.path;
        *folder = read_list(&folders, table, found.folder).path;
        return;
    }
    while (*string(&files)) /* the folders */
        continue;
    for (uint64_t i = 1; *(text = string(&files)); i++) {
        struct entry entry = {text, unsigned_number(&files)};

        (void)unsigned_number(&files); /* time of change */
        (void)unsigned_number(&files); /* size */
        if (i == file)
            found = entry;
    }
    *path = found.path;
    *folder = "";
    for (uint64_t i = 1; i <= found.folder && *(text = string(&folders)); i++)
        *folder = i == found.folder ? text : "";
}

/* Takes the end off a path. False: it does not end so. */
static bool take_end(const char *path, size_t *length, const char *end, size_t end_length)
{
    if (*length < end_length || memcmp(path + *length - end_length, end, end_length) != 0)
        return false;
    *length -= end_length;
    return true;
}

bool lines_is_of(const struct lines_row *row, const char *file)
{
    const char *path, *folder;
    size_t wanted = strlen(file), path_length, folder_length;

    find_file(row->table, row->file, &path, &folder);
    path_length = strlen(path);
    folder_length = strlen(folder);
    if (path_length >= wanted)
        return take_end(path, &path_length, file, wanted) &&
               (!path_length || path[path_length - 1] == '/' || *file == '/');
    if (!path_length || !take_end(file, &wanted, path, path_length) ||
        !take_end(file, &wanted, "/", 1) || !take_end(folder, &folder_length, file, wanted))
        return false;
    return !folder_length || folder[folder_length - 1] == '/';
}

/* --- a table's program ------------------------------------------------------------------------ */

struct machine {
    struct lines_row row; /* `low` is where the machine is */
    bool has_last;
    struct lines_row last;
    void (*tell)(void *to, const struct lines_row *row);
    void *to;
};

/* The row before this one ends here. */
static void note_row(struct machine *machine)
{
    if (machine->has_last && machine->last.low < machine->row.low) {
        machine->last.high = machine->row.low;
        machine->tell(machine->to, &machine->last);
    }
    machine->last = machine->row;
    machine->has_last = true;
}

static void begin_sequence(struct machine *machine, const struct lines_table *table)
{
    machine->row = (struct lines_row){.table = table, .file = 1, .line = 1};
    machine->has_last = false;
}

static void run_extended(struct machine *machine, struct reader *program)
{
    uint64_t length = unsigned_number(program);
    struct reader operation = *program;

    skip(program, length);
    operation.end = program->at;
    switch (number(&operation, 1)) {
    case 1: /* DW_LNE_end_sequence */
        note_row(machine);
        begin_sequence(machine, machine->row.table);
        break;
    case 2: /* DW_LNE_set_address */
        machine->row.low = number(&operation, (size_t)(operation.end - operation.at));
        break;
    }
}

static void run_standard(struct machine *machine, struct reader *program, unsigned opcode)
{
    const struct lines_table *table = machine->row.table;

    switch (opcode) {
    case 1: /* DW_LNS_copy */
        note_row(machine);
        break;
    case 2: /* DW_LNS_advance_pc */
        machine->row.low += unsigned_number(program) * table->least_step;
        break;
    case 3: /* DW_LNS_advance_line */
        machine->row.line += (unsigned)signed_number(program);
        break;
    case 4: /* DW_LNS_set_file */
        machine->row.file = unsigned_number(program);
        break;
    case 8: /* DW_LNS_const_add_pc */
        machine->row.low +=
            (uint64_t)((255 - table->opcode_base) / table->line_range) * table->least_step;
        break;
    case 9: /* DW_LNS_fixed_advance_pc */
        machine->row.low += number(program, 2);
        break;
    default:
        for (unsigned i = 0; i < table->operands[opcode - 1]; i++)
            (void)unsigned_number(program);
    }
}

static void run(struct machine *machine, const struct lines_table *table)
{
    struct reader program = table->program;

    begin_sequence(machine, table);
    while (program.at < program.end && !program.is_broken) {
        unsigned opcode = (unsigned)number(&program, 1);

        if (opcode >= table->opcode_base) {
            unsigned step = opcode - table->opcode_base;

            machine->row.low += (uint64_t)(step / table->line_range) * table->least_step;
            machine->row.line += (unsigned)(table->line_base + (int)(step % table->line_range));
            note_row(machine);
        } else if (opcode) {
            run_standard(machine, &program, opcode);
        } else {
            run_extended(machine, &program);
        }
    }
}

void lines_each(const struct lines_sections *sections,
                void (*row)(void *to, const struct lines_row *), void *to)
{
    struct reader all = {sections->line.bytes, sections->line.bytes + sections->line.size, false};
    struct machine machine = {.tell = row, .to = to};

    while (sections->line.bytes && all.at < all.end && !all.is_broken) {
        struct lines_table table;

        if (read_head(&all, sections, &table))
            run(&machine, &table);
    }
}
