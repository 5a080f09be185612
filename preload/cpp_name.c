/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see cpp_name.h. */
#include "cpp_name.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "next.h"

static char *(*demangle)(const char *name, char *to, size_t *room, int *status);

void cpp_name_begin(void)
{
    demangle = (char *(*)(const char *, char *, size_t *, int *))next_function("__cxa_demangle");
}

static bool matches(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, 0) == 0;
}

/* To be freed; NULL: there is no other name. */
static char *demangled(const char *name)
{
    int status;

    return demangle && strncmp(name, "_Z", 2) == 0 ? demangle(name, NULL, NULL, &status) : NULL;
}

/* --- the parts of a name ---------------------------------------------------------------------- */

static bool is_open(char character)
{
    return character == '<' || character == '(';
}

static bool is_closed(char character)
{
    return character == '>' || character == ')';
}

/* Cuts the parameters off: they begin with the last bracket that is in no other one. "operator()"
 * and "(anonymous namespace)" have a name behind theirs, or nothing before it. */
static void cut_parameters(char *name)
{
    char *end = name + strlen(name), *at;
    int depth = 0;

    while (end > name && end[-1] != ')') /* const, [clone .cold] */
        end--;
    for (at = end; at > name; at--) {
        depth += is_closed(at[-1]) ? 1 : is_open(at[-1]) ? -1 : 0;
        if (depth == 0)
            break;
    }
    if (at > name + 1 && at[-1] == '(')
        at[-1] = '\0';
}

/* Behind the bracket that closes this one; NULL: there is none. */
static char *behind(char *bracket)
{
    int depth = 0;

    for (char *at = bracket; *at; at++) {
        depth += is_open(*at) ? 1 : is_closed(*at) && at[-1] != '-' ? -1 : 0;
        if (depth == 0)
            return at + 1;
    }
    return NULL;
}

/* The first argument of a template, from its bracket on. */
static const char *first_argument(char *bracket)
{
    int depth = 0;

    for (char *at = bracket + 1; *at; at++) {
        if (depth == 0 && (*at == ',' || *at == '>')) {
            while (at[-1] == ' ') /* "a<b<int> >" */
                at--;
            *at = '\0';
            return bracket + 1;
        }
        depth += is_open(*at) ? 1 : is_closed(*at) && at[-1] != '-' ? -1 : 0;
    }
    return NULL;
}

/* Templates whose functions allocate what their first argument says. Of the others, such as
 * std::list, what is allocated is a node, and an allocator of nodes is the caller. */
static const char *const of_argument[] = {
    "std::__new_allocator<", "__gnu_cxx::new_allocator<", "std::allocator<",
    "std::vector<",          "std::_Vector_base<",        "std::deque<",
    "std::_Deque_base<",     "std::make_unique<",         "std::__detail::_MakeUniq<",
    "std::__1::allocator<",  "std::__1::vector<",         "std::__1::make_unique<",
};

#define NEW "::operator new"

const char *cpp_name_type(char *function)
{
    char *member = strstr(function, NEW);

    if (member && member > function) { /* a class with an operator of its own */
        *member = '\0';
        member = strrchr(function, ' ');
        return member ? member + 1 : function;
    }
    for (size_t i = 0; i < sizeof of_argument / sizeof of_argument[0]; i++) {
        char *name = function;

        while ((name = strstr(name, of_argument[i]))) {
            char *bracket = name + strlen(of_argument[i]) - 1, *end = behind(bracket);
            bool is_whole = name == function || name[-1] == ' ';

            /* Of this template: not one whose result or argument it is. */
            if (is_whole && end && (!*end || strncmp(end, "::", 2) == 0))
                return first_argument(bracket);
            name++;
        }
    }
    return NULL;
}

/* --- questions -------------------------------------------------------------------------------- */

/* The compiler names a part of a function NAME.part.0, NAME.cold, NAME.constprop.0. */
static bool is_part(const char *name, const char *pattern)
{
    const char *point = strchr(name, '.');
    char *whole = point && point > name ? strndup(name, (size_t)(point - name)) : NULL;
    bool is_it = whole && matches(pattern, whole);

    free(whole);
    return is_it;
}

bool cpp_name_is_function(const char *name, const char *pattern)
{
    char *function;
    bool is_it = matches(pattern, name) || is_part(name, pattern);

    if (is_it)
        return true;
    function = demangled(name);
    if (!function)
        return false;
    is_it = matches(pattern, function);
    cut_parameters(function);
    is_it |= matches(pattern, function);
    free(function);
    return is_it;
}

bool cpp_name_is_type(const char *name, const char *pattern)
{
    char *function = demangled(name);
    const char *type = NULL;
    bool is_it;

    if (function) {
        cut_parameters(function);
        type = cpp_name_type(function);
    }
    is_it = type && matches(pattern, type);
    free(function);
    return is_it;
}
