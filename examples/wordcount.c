/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * wordcount: counts the words of text files, in memory of one kind.
 *
 * It shows a program whose data live in memory of the user's choice. Whatever grows with the text
 * comes from the kind named by --kind: the table's buckets, its entries, the words themselves. At
 * the end the kernel is asked where all that really is (placement.h).
 *
 * A word is a run of the letters A to Z, upper or lower case, and so the counts are those of
 *
 *     tr -cs A-Za-z '\n' < FILE | tr A-Z a-z | sort | uniq -c
 */
#include <memkind.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "placement.h"

#define FIRST_BUCKETS 256 /* a power of two */
#define MOST_FREQUENT 10

/* --- kinds by name ---------------------------------------------------------------------------- */

/* clang-format off */
#define KIND(NAME) {"MEMKIND_" #NAME, &MEMKIND_##NAME}

static const struct named_kind { const char *name; const memkind_t *kind; } kinds[] = {
    KIND(DEFAULT),                          KIND(REGULAR),
    KIND(INTERLEAVE),                       KIND(HUGETLB),
    KIND(HBW),                              KIND(HBW_HUGETLB),
    KIND(HBW_ALL),                          KIND(HBW_ALL_HUGETLB),
    KIND(HBW_PREFERRED),                    KIND(HBW_PREFERRED_HUGETLB),
    KIND(HBW_INTERLEAVE),                   KIND(DAX_KMEM),
    KIND(DAX_KMEM_ALL),                     KIND(DAX_KMEM_PREFERRED),
    KIND(DAX_KMEM_INTERLEAVE),              KIND(HIGHEST_CAPACITY),
    KIND(HIGHEST_CAPACITY_PREFERRED),       KIND(HIGHEST_CAPACITY_LOCAL),
    KIND(HIGHEST_CAPACITY_LOCAL_PREFERRED), KIND(LOWEST_LATENCY_LOCAL),
    KIND(LOWEST_LATENCY_LOCAL_PREFERRED),   KIND(HIGHEST_BANDWIDTH_LOCAL),
    KIND(HIGHEST_BANDWIDTH_LOCAL_PREFERRED), {NULL, NULL}
};
/* clang-format on */

/* A name may be in upper or lower case, with or without MEMKIND_. */
static const struct named_kind *kind_by_name(const char *name)
{
    for (const struct named_kind *row = kinds; row->name; row++)
        if (!strcasecmp(name, row->name) || !strcasecmp(name, row->name + strlen("MEMKIND_")))
            return row;
    return NULL;
}

/* --- the table: open addressing. 0, or ENOMEM when the kind has no memory left. --------------- */

struct entry {
    uint64_t hash;
    size_t count;
    char *word;
};

struct table {
    memkind_t kind;
    struct entry **buckets;
    size_t bucket_count; /* a power of two, at least twice entry_count */
    size_t entry_count;
    char *letters; /* the word that is being read */
    size_t length, room;
};

static int table_open(struct table *table, memkind_t kind)
{
    *table = (struct table){.kind = kind, .bucket_count = FIRST_BUCKETS, .room = 64};
    table->buckets = memkind_calloc(kind, table->bucket_count, sizeof *table->buckets);
    table->letters = memkind_malloc(kind, table->room);
    return table->buckets && table->letters ? 0 : ENOMEM;
}

static void table_close(struct table *table)
{
    for (size_t i = 0; table->buckets && i < table->bucket_count; i++) {
        if (table->buckets[i])
            memkind_free(table->kind, table->buckets[i]->word);
        memkind_free(table->kind, table->buckets[i]);
    }
    memkind_free(table->kind, table->buckets);
    memkind_free(table->kind, table->letters);
}

/* The bucket that holds the word, or the empty one where it belongs. */
static struct entry **find(const struct table *table, uint64_t hash, const char *word)
{
    struct entry **bucket = &table->buckets[hash & (table->bucket_count - 1)];

    while (*bucket && ((*bucket)->hash != hash || strcmp((*bucket)->word, word) != 0))
        if (++bucket == table->buckets + table->bucket_count)
            bucket = table->buckets;
    return bucket;
}

static int grow(struct table *table)
{
    struct table larger = *table;

    larger.bucket_count *= 2;
    larger.buckets = memkind_calloc(table->kind, larger.bucket_count, sizeof *larger.buckets);
    if (!larger.buckets)
        return ENOMEM;
    for (size_t i = 0; i < table->bucket_count; i++)
        if (table->buckets[i])
            *find(&larger, table->buckets[i]->hash, table->buckets[i]->word) = table->buckets[i];
    memkind_free(table->kind, table->buckets);
    *table = larger;
    return 0;
}

static int add_entry(struct table *table, uint64_t hash)
{
    struct entry *entry = memkind_malloc(table->kind, sizeof *entry);
    char *word = memkind_malloc(table->kind, table->length + 1);

    if (!entry || !word || (2 * table->entry_count == table->bucket_count && grow(table))) {
        memkind_free(table->kind, word);
        memkind_free(table->kind, entry);
        return ENOMEM;
    }
    memcpy(word, table->letters, table->length + 1);
    *entry = (struct entry){.hash = hash, .count = 1, .word = word};
    *find(table, hash, word) = entry;
    table->entry_count++;
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int add_letter(struct table *table, int letter)
{
    if (table->length + 1 == table->room) {
        char *letters = memkind_realloc(table->kind, table->letters, 2 * table->room);

        if (!letters)
            return ENOMEM;
        table->letters = letters;
        table->room *= 2;
    }
    table->letters[table->length++] = (char)letter;
    return 0;
}

/* Counts the letters read so far, if there are any, as a word. */
static int end_word(struct table *table)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a (Fowler, Noll, Vo) */
    struct entry *entry;

    if (table->length == 0)
        return 0;
    for (size_t i = 0; i < table->length; i++)
        hash = (hash ^ (unsigned char)table->letters[i]) * 0x100000001b3;
    table->letters[table->length] = '\0';
    entry = *find(table, hash, table->letters);
    if (!entry && add_entry(table, hash))
        return ENOMEM;
    if (entry)
        entry->count++;
    table->length = 0;
    return 0;
}

/* 0 or an errno. In the locale that every program starts in, letters are those of ASCII. */
/* NULL: standard input. */
static int count_file(struct table *table, const char *path)
{
    FILE *file = path ? fopen(path, "re") : stdin;
    int c, error = 0;

    if (!file)
        return errno;
    while (!error && (c = getc_unlocked(file)) != EOF)
        error = isalpha(c) ? add_letter(table, tolower(c)) : end_word(table);
    if (!error)
        error = ferror(file) ? errno : end_word(table);
    if (path)
        fclose(file);
    return error;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* The most frequent words first; empty buckets last. */
static int by_count(const void *a, const void *b)
{
    const struct entry *left = *(struct entry *const *)a, *right = *(struct entry *const *)b;

    if (!left || !right)
        return !left - !right;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(left->word, right->word);
}

/* Sorts the buckets: nobody looks for words any more. */
static void print_words(struct table *table, size_t most)
{
    qsort(table->buckets, table->bucket_count, sizeof *table->buckets, by_count);
    for (size_t i = 0; i < table->entry_count && i < most; i++)
        printf("%zu %s\n", table->buckets[i]->count, table->buckets[i]->word);
}

static void print_placement(const struct table *table)
{
    struct placement placement = {0};
    int error;

    placement_add(&placement, table->letters, table->room);
    placement_add(&placement, table->buckets, table->bucket_count * sizeof *table->buckets);
    for (size_t i = 0; i < table->entry_count; i++) {
        placement_add(&placement, table->buckets[i], sizeof *table->buckets[i]);
        placement_add(&placement, table->buckets[i]->word, strlen(table->buckets[i]->word) + 1);
    }
    error = placement_ask(&placement);
    if (error)
        printf("the kernel does not say where the memory is: %s\n", strerror(error));
    else
        placement_print(&placement, stdout);
    placement_release(&placement);
}

/* --- the command line ------------------------------------------------------------------------- */

static const char usage[] = "wordcount [--kind NAME] [--all] [FILE...] | --list";

static int help(void)
{
    printf("usage: %s\n", usage);
    puts("Prints the ten most frequent words of files, or of standard input, and where the memory "
         "is that holds all words.\n"
         "  --kind NAME  the kind of that memory; MEMKIND_DEFAULT if not given\n"
         "  --all        print all words, and nothing else\n"
         "  --list       print the kinds that this machine has, one a line, and end\n"
         "Kinds:");
    for (const struct named_kind *row = kinds; row->name; row++)
        printf("  %s\n", row->name);
    return EXIT_SUCCESS;
}

static int list(void)
{
    for (const struct named_kind *row = kinds; row->name; row++)
        if (memkind_check_available(*row->kind) == MEMKIND_SUCCESS)
            puts(row->name);
    return EXIT_SUCCESS;
}

static int fail(const char *subject, const char *why)
{
    fprintf(stderr, "wordcount: %s: %s\n", subject, why);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"kind", required_argument, NULL, 'k'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"list", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct named_kind *chosen = &kinds[0];
    char text[MEMKIND_ERROR_MESSAGE_SIZE], *path = NULL;
    struct table table;
    bool all = false;
    int option, error;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return help();
        if (option == 'l')
            return list();
        if (option == 'a')
            all = true;
        else if (option != 'k')
            return fail("usage", usage);
        else if (!(chosen = kind_by_name(optarg)))
            return fail(optarg, "there is no such kind; --help lists them");
    }
    error = memkind_check_available(*chosen->kind);
    if (error) {
        memkind_error_message(error, text, sizeof text);
        return fail(chosen->name, text);
    }
    error = table_open(&table, *chosen->kind);
    if (optind == argc && !error)
        error = count_file(&table, NULL);
    while (optind < argc && !error)
        error = count_file(&table, path = argv[optind++]);
    if (!error) {
        print_words(&table, all ? SIZE_MAX : MOST_FREQUENT);
        if (!all)
            print_placement(&table);
    }
    table_close(&table);
    if (error)
        return fail(error == ENOMEM ? chosen->name
                    : path          ? path
                                    : "standard input",
                    strerror(error));
    if (ferror(stdout) || fclose(stdout))
        return fail("standard output", strerror(errno));
    return EXIT_SUCCESS;
}
