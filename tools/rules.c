/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see rules.h. */
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "size.h"

struct reading {
    const struct rules_reader *reader;
    char *line_start;
    char *next; /* what is not read yet of the line */
    char *word; /* NULL: the line is at its end */
    unsigned line;
    bool is_wrong; /* an error in this line is told */
};

__attribute__((format(printf, 4, 5))) static bool tell(struct reading *reading, const char *at,
                                                       bool is_error, const char *format, ...)
{
    char message[512];
    va_list arguments;

    if (reading->is_wrong)
        return false; /* what follows an error is only more of it */
    va_start(arguments, format);
    (void)!vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reading->reader->tell(reading->reader->to, reading->line,
                          (unsigned)(at - reading->line_start) + 1, is_error, message);
    reading->is_wrong |= is_error;
    return false;
}

#define refuse(reading, at, ...) tell(reading, at, true, __VA_ARGS__)

/* --- words ------------------------------------------------------------------------------------ */

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

/* Makes `word` the next one. One in quotation marks may have blanks in it, or nothing. */
static void advance(struct reading *reading)
{
    char *from = reading->next, *to;

    while (is_blank(*from))
        from++;
    reading->next = from;
    reading->word = NULL;
    if (!*from || *from == '#')
        return;
    reading->word = from;
    if (*from != '"') {
        while (*from && !is_blank(*from))
            from++;
        reading->next = *from ? from + 1 : from;
        *from = '\0';
        return;
    }
    reading->word = from + 1;
    to = strchr(from + 1, '"');
    if (!to) {
        refuse(reading, from, "a quotation mark without its other one");
        reading->next = from + strlen(from);
        return;
    }
    *to = '\0';
    reading->next = to + 1;
}

/* Where the word is, or where one is missing. */
static const char *here(const struct reading *reading)
{
    return reading->word ? reading->word : reading->next;
}

static bool is_word(const struct reading *reading, const char *word)
{
    return reading->word && strcmp(reading->word, word) == 0;
}

/* --- conditions ------------------------------------------------------------------------------- */

/* A whole number that ends with the text; -1: it is none. */
static long long number_of(const char *text, int base)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, base);
    return *text < '0' || *text > '9' || *end || errno ? -1 : number;
}

/* Nothing is `missing`, which is what the range goes to on that side. */
static bool read_end(struct reading *reading, char *text, size_t missing, size_t *end)
{
    *end = *text ? size_parse(text) : missing;
    if (*end || !*text || strcmp(text, "0") == 0)
        return true;
    return refuse(reading, text, "\"%.100s\" is no size; " SIZE_ACCEPTED, text);
}

static bool read_size(struct reading *reading, struct rule *rule)
{
    char *word = reading->word, *dots = strstr(word, "..");

    if (dots)
        *dots = '\0';
    if (!read_end(reading, word, 0, &rule->low) ||
        !read_end(reading, dots ? dots + 2 : word, SIZE_MAX, &rule->high))
        return false;
    if (dots && !*word && !dots[2])
        return refuse(reading, word, "a range has at least one end: LOW..HIGH, LOW.. or ..HIGH");
    if (rule->low > rule->high)
        return refuse(reading, word, "no size is in this range: it ends before it begins");
    return true;
}

static bool read_pattern(struct reading *reading, struct rule *rule)
{
    (void)rule;
    return *reading->word || refuse(reading, reading->word, "a pattern that is empty");
}

static bool read_site(struct reading *reading, struct rule *rule)
{
    char *plus = strrchr(reading->word, '+');
    long long offset = plus && strncmp(plus, "+0x", 3) == 0 ? number_of(plus + 1, 16) : -1;

    if (offset < 0 || plus == reading->word)
        return refuse(reading, reading->word, "a site is MODULE+0xOFFSET, not \"%.100s\"",
                      reading->word);
    *plus = '\0';
    rule->offset = (size_t)offset;
    return true;
}

static bool read_line(struct reading *reading, struct rule *rule)
{
    char *colon = strrchr(reading->word, ':');
    long long number = colon ? number_of(colon + 1, 10) : -1;

    if (number < 1 || number > INT32_MAX || colon == reading->word)
        return refuse(reading, reading->word, "a line is FILE:LINE, not \"%.100s\"", reading->word);
    *colon = '\0';
    rule->source_line = (unsigned)number;
    return true;
}

/* How a condition is written; what it asks of a block is in preload/. */
static const struct {
    const char *name;
    bool (*read)(struct reading *, struct rule *); /* its word; NULL: it has none */
} conditions[RULES_CONDITIONS] = {
    [RULES_SIZE] = {"size", read_size},
    [RULES_MODULE] = {"module", read_pattern},
    [RULES_FUNCTION] = {"function", read_pattern},
    [RULES_SITE] = {"site", read_site},
    [RULES_LINE] = {"line", read_line},
    [RULES_THREAD] = {"thread", read_pattern},
    [RULES_TYPE] = {"type", read_pattern},
    [RULES_ANY] = {"any", NULL},
};

static bool read_condition(struct reading *reading, struct rule *rule)
{
    int i = 0;

    while (i < RULES_CONDITIONS && !is_word(reading, conditions[i].name))
        i++;
    if (i == RULES_CONDITIONS)
        return refuse(reading, reading->word,
                      "\"%.100s\" is no condition: there are size, module, function, site, line, "
                      "thread, type and any; \"->\" comes before what is to be done",
                      reading->word);
    if (rule->asks[i])
        return refuse(reading, reading->word, "\"%s\" is there twice", conditions[i].name);
    rule->asks[i] = true;
    if (conditions[i].read) {
        advance(reading);
        if (!reading->word || is_word(reading, "->"))
            return refuse(reading, here(reading), "what \"%s\" is to be, is missing",
                          conditions[i].name);
        rule->words[i] = reading->word;
        if (!conditions[i].read(reading, rule))
            return false;
    }
    advance(reading);
    return true;
}

static bool read_conditions(struct reading *reading, struct rule *rule)
{
    const char *start = reading->word;
    unsigned count = 0;

    for (; reading->word && !is_word(reading, "->"); count++)
        if (!read_condition(reading, rule))
            return false;
    if (!count)
        return refuse(reading, start, "a condition is missing; \"any\" is one");
    if (count > 1 && rule->asks[RULES_ANY])
        return refuse(reading, start, "\"any\" stands alone");
    if (!reading->word)
        return refuse(reading, here(reading), "\"->\" and a kind are missing");
    advance(reading);
    return true;
}

/* --- actions ---------------------------------------------------------------------------------- */

static bool read_kind(struct reading *reading, int *kind)
{
    if (!reading->word)
        return refuse(reading, here(reading), "a kind is missing");
    *kind = reading->reader->kind(reading->word);
    if (*kind < 0)
        return refuse(reading, reading->word, "no static kind has this name: %.100s",
                      reading->word);
    return true;
}

static bool read_ratio(struct reading *reading, struct rule *rule)
{
    for (advance(reading); reading->word; advance(reading)) {
        char *colon = strrchr(reading->word, ':');
        long long share = colon ? number_of(colon + 1, 10) : -1;

        if (share < 1 || share > RULES_SHARE)
            return refuse(reading, reading->word, "a part of a ratio is KIND:N, N from 1 to %d",
                          RULES_SHARE);
        if (rule->kinds == RULES_KINDS)
            return refuse(reading, reading->word, "a ratio is of %d kinds at most", RULES_KINDS);
        *colon = '\0';
        if (!read_kind(reading, &rule->kind[rule->kinds]))
            return false;
        rule->share[rule->kinds++] = (unsigned)share;
    }
    return rule->kinds > 1 ||
           refuse(reading, here(reading), "a ratio is of two kinds at least: KIND:N KIND:N");
}

static bool read_action(struct reading *reading, struct rule *rule)
{
    if (is_word(reading, "ratio"))
        return read_ratio(reading, rule);
    if (!read_kind(reading, &rule->kind[0]))
        return false;
    rule->kinds = 1;
    rule->share[0] = 1;
    advance(reading);
    if (is_word(reading, "limit")) {
        advance(reading);
        rule->limit = reading->word ? size_parse(reading->word) : 0;
        if (!rule->limit)
            return refuse(reading, here(reading),
                          "\"limit\" is followed by a size; " SIZE_ACCEPTED);
        advance(reading);
    }
    if (is_word(reading, "else")) {
        advance(reading);
        if (!read_kind(reading, &rule->instead))
            return false;
        advance(reading);
    }
    return !reading->word ||
           refuse(reading, reading->word,
                  "\"%.100s\" is too much: KIND [limit SIZE] [else KIND], or ratio KIND:N KIND:N",
                  reading->word);
}

/* --- rules ------------------------------------------------------------------------------------ */

static char *read_all(int file)
{
    size_t room = 4096, length = 0;
    char *text = malloc(room);
    ssize_t count = 1;

    while (text && (count = read(file, text + length, room - length - 1)) > 0) {
        char *larger;

        length += (size_t)count;
        if (room - length > 1)
            continue;
        room *= 2;
        larger = realloc(text, room);
        if (!larger)
            free(text);
        text = larger;
    }
    if (count < 0) {
        free(text);
        return NULL;
    }
    if (text)
        text[length] = '\0';
    if (text && strlen(text) != length) { /* what is behind it would not be read */
        free(text);
        errno = EILSEQ;
        return NULL;
    }
    return text;
}

static bool is_regular(int file)
{
    struct stat status;

    if (fstat(file, &status))
        return false;
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    return S_ISREG(status.st_mode);
}

char *rules_text(const char *path, bool any_file)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | (any_file ? 0 : O_NONBLOCK)), error;
    char *text = NULL;

    if (file < 0)
        return NULL;
    if (any_file || is_regular(file))
        text = read_all(file);
    error = errno;
    close(file);
    errno = error;
    return text;
}

static bool is_same(const struct rule *a, const struct rule *b, enum rules_condition condition)
{
    return b->asks[condition] && strcmp(a->words[condition], b->words[condition]) == 0;
}

/* Whether `first` holds for every block for which `second` does, as far as their words tell. */
static bool covers(const struct rule *first, const struct rule *second)
{
    for (int i = RULES_MODULE; i < RULES_ANY; i++)
        if (first->asks[i] && !is_same(first, second, i))
            return false;
    if (first->low > second->low || first->high < second->high)
        return false;
    return (!first->asks[RULES_SITE] || first->offset == second->offset) &&
           (!first->asks[RULES_LINE] || first->source_line == second->source_line);
}

static bool note_thread(struct reading *reading, struct rules *rules, struct rule *rule)
{
    const char *name = rule->words[RULES_THREAD];

    while (rule->thread < rules->thread_count && strcmp(rules->threads[rule->thread], name) != 0)
        rule->thread++;
    if (rule->thread == RULES_THREADS)
        return refuse(reading, name, "there are more than %d names of threads", RULES_THREADS);
    if (rule->thread == rules->thread_count)
        rules->threads[rules->thread_count++] = name;
    return true;
}

static void read_rule(struct reading *reading, struct rules *rules)
{
    struct rule *rule = &rules->rule[rules->count];
    const char *start = reading->word;

    *rule = (struct rule){.line = reading->line, .high = SIZE_MAX, .instead = -1};
    if (!read_conditions(reading, rule) || !read_action(reading, rule) || reading->is_wrong)
        return;
    if (rule->asks[RULES_THREAD] && !note_thread(reading, rules, rule))
        return;
    for (size_t i = 0; i < rules->count && reading->reader->warns; i++)
        if (covers(&rules->rule[i], rule)) {
            tell(reading, start, false, "no block comes as far as here: line %u takes all of them",
                 rules->rule[i].line);
            break;
        }
    rules->count++;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

bool rules_read(struct rules *rules, char *text, const struct rules_reader *reader)
{
    struct reading reading = {.reader = reader, .line_start = text};
    size_t most = count_lines(text);
    bool is_right = true;

    if (most > RULES_MOST)
        most = RULES_MOST;
    *rules = (struct rules){0};
    rules->rule = calloc(most, sizeof rules->rule[0]);
    if (!rules->rule)
        return refuse(&reading, text, "%s", strerror(ENOMEM));
    while (reading.line_start) {
        char *end = strchr(reading.line_start, '\n');

        if (end)
            *end = '\0';
        reading.line++;
        reading.is_wrong = false;
        reading.next = reading.line_start;
        advance(&reading);
        if (reading.word && rules->count == most)
            refuse(&reading, reading.word, "there are more than %d rules", RULES_MOST);
        else if (reading.word)
            read_rule(&reading, rules);
        is_right &= !reading.is_wrong;
        reading.line_start = end ? end + 1 : NULL;
    }
    return is_right;
}

void rules_free(struct rules *rules)
{
    free(rules->rule);
    *rules = (struct rules){0};
}

/* --- the other way round ---------------------------------------------------------------------- */

struct output {
    char *to;
    size_t room;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct output *output, const char *format,
                                                      ...)
{
    size_t room = output->length < output->room ? output->room - output->length : 0;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(room ? output->to + output->length : NULL, room, format, arguments);
    va_end(arguments);
    output->length += length > 0 ? (size_t)length : 0;
}

static void add_size(struct output *output, size_t size)
{
    static const char units[] = "KMGT";
    int power = 0;

    while (size && size % 1024 == 0 && units[power]) {
        size /= 1024;
        power++;
    }
    add(output, power ? "%zu%c" : "%zu", size, power ? units[power - 1] : ' ');
}

/* The quotation mark that a word needs, or nothing. */
static const char *mark_of(const char *word)
{
    return strpbrk(word, " \t\r#") ? "\"" : "";
}

static void add_condition(struct output *output, const struct rule *rule, enum rules_condition i)
{
    const char *word = rule->words[i], *mark = word ? mark_of(word) : "";

    add(output, "%s ", conditions[i].name);
    if (i == RULES_SIZE) {
        if (rule->low || rule->high == SIZE_MAX)
            add_size(output, rule->low);
        add(output, "..");
        if (rule->high != SIZE_MAX)
            add_size(output, rule->high);
        add(output, " ");
    } else if (i == RULES_SITE) {
        add(output, "%s%s+0x%zx%s ", mark, word, rule->offset, mark);
    } else if (i == RULES_LINE) {
        add(output, "%s%s:%u%s ", mark, word, rule->source_line, mark);
    } else if (conditions[i].read) {
        add(output, "%s%s%s ", mark, word, mark);
    }
}

int rules_print(char *to, size_t room, const struct rule *rule, const char *(*name)(int kind))
{
    struct output output = {to, room, 0};

    for (int i = 0; i < RULES_CONDITIONS; i++)
        if (rule->asks[i])
            add_condition(&output, rule, i);
    add(&output, "-> %s", rule->kinds > 1 ? "ratio" : name(rule->kind[0]));
    for (unsigned i = 0; i < rule->kinds && rule->kinds > 1; i++)
        add(&output, " %s:%u", name(rule->kind[i]), rule->share[i]);
    if (rule->limit) {
        add(&output, " limit ");
        add_size(&output, rule->limit);
    }
    if (rule->instead >= 0)
        add(&output, " else %s", name(rule->instead));
    return (int)output.length;
}
