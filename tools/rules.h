/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * rules: what a file of rules says, the same for memkind-run, which checks it, and for the library
 * that it preloads, which goes by it; so it needs nothing but libc. memkind-rules(5) is the
 * contract.
 *
 * The words of a rule point into the text, which belongs to the caller and is cut up.
 *
 * Threads: any, each with rules of its own. Memory comes from malloc().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RULES_MOST 4000  /* a block's rule is known by a small number */
#define RULES_THREADS 64 /* different names: a bit each */
#define RULES_KINDS 8    /* in a ratio */
#define RULES_SHARE 1000000

/* What a rule may ask of a block. docs/extending.md tells how another one is added. */
enum rules_condition {
    RULES_SIZE,
    RULES_MODULE,
    RULES_FUNCTION,
    RULES_SITE,
    RULES_LINE,
    RULES_THREAD,
    RULES_TYPE,
    RULES_ANY,
    RULES_CONDITIONS,
};

struct rule {
    unsigned line;
    bool asks[RULES_CONDITIONS];
    const char *words[RULES_CONDITIONS]; /* a pattern, a module, a file */
    size_t low, high;                    /* bytes, both included */
    size_t offset;                       /* of a site */
    unsigned source_line;
    unsigned thread; /* which of the names of threads */
    unsigned kinds;  /* 1; more: a ratio */
    int kind[RULES_KINDS];
    unsigned share[RULES_KINDS];
    size_t limit; /* 0: none */
    int instead;  /* -1: MEMKIND_DEFAULT */
};

struct rules {
    struct rule *rule;
    size_t count;
    const char *threads[RULES_THREADS]; /* the different ones that rules ask for */
    unsigned thread_count;
};

/* What the caller knows of kinds, and what becomes of what is wrong. */
struct rules_reader {
    int (*kind)(const char *name); /* -1: there is none */
    void (*tell)(void *to, unsigned line, unsigned column, bool is_error, const char *message);
    void *to;
    bool warns; /* rules that can never match are told, too */
};

/* A whole file; NULL with errno, EINVAL if it is no regular one: another one could make a program
 * wait, and there is one reader only of what comes of a pipe. With `any_file` it is read all the
 * same. To be freed. */
char *rules_text(const char *path, bool any_file);

/* Whether there is no error. What was told as a warning is no error. `rules` is to be freed either
 * way; after an error it has the rules that were right. */
bool rules_read(struct rules *rules, char *text, const struct rules_reader *reader);
void rules_free(struct rules *rules);

/* One rule as it is understood, in the words of a file of rules; `name` says what a kind is called.
 * As snprintf(). */
int rules_print(char *to, size_t room, const struct rule *rule, const char *(*name)(int kind));
