/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fuzz_machine: trees like /sys. A line that begins with "/" is the path of a file below /sys, the
 * lines behind it are the file's; "->" begins the target of a link.
 *
 * The library asks for files and finds these (--wrap). What it keeps for ever it computes in a
 * child, where it says everything about every kind.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds/machine/cpu.h"
#include "kinds/machine/report.h"
#include "kinds/machine/topology.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"

#define FILES 256
#define REPORTED_NODES 80

static struct {
    const char *path, *text; /* without "/sys" */
} files[FILES];
static size_t file_count;

/* NOLINTBEGIN(bugprone-reserved-identifier) */
unsigned __wrap_os_current_node(void);
int __wrap_os_allowed_nodes(struct nodemask *nodes);
int __wrap_os_bind(void *address, size_t size, const struct os_policy *policy);
void __wrap_cpu_identify(struct cpu_model *cpu);
const char *__wrap_dax_library_nodes(struct nodemask *nodes);
ssize_t __wrap_os_read_file(const char *path, char *text, size_t size);
int __wrap_os_read_folder(const char *path, void (*visit)(void *context, const char *name),
                          void *context);
int __wrap_os_read_link(const char *path, char *target, size_t size);

unsigned __wrap_os_current_node(void)
{
    int node = nodemask_next(&topology_get()->with_cpu, 0);

    return node < 0 ? 0 : (unsigned)node;
}

int __wrap_os_allowed_nodes(struct nodemask *nodes)
{
    memset(nodes, 0xff, sizeof *nodes);
    return 0;
}

int __wrap_os_bind(void *address, size_t size, const struct os_policy *policy)
{
    (void)address, (void)size, (void)policy;
    return 0;
}

void __wrap_cpu_identify(struct cpu_model *cpu)
{
    memset(cpu, 0, sizeof *cpu);
}

const char *__wrap_dax_library_nodes(struct nodemask *nodes)
{
    (void)nodes;
    return "libdaxctl is not asked";
}

static const char *find(const char *path)
{
    if (strncmp(path, "/sys", 4) != 0)
        return NULL;
    for (size_t i = 0; i < file_count; i++)
        if (strcmp(files[i].path, path + 4) == 0)
            return files[i].text;
    return NULL;
}

ssize_t __wrap_os_read_file(const char *path, char *text, size_t size)
{
    const char *found = find(path);
    size_t length = found ? strlen(found) : 0;

    if (size)
        *text = '\0';
    if (!found || !size) {
        errno = ENOENT;
        return -1;
    }
    length = length < size ? length : size - 1;
    memcpy(text, found, length);
    text[length] = '\0';
    return (ssize_t)length;
}

int __wrap_os_read_folder(const char *path, void (*visit)(void *context, const char *name),
                          void *context)
{
    size_t length = strncmp(path, "/sys", 4) == 0 ? strlen(path + 4) : 0;
    bool is_there = false;

    for (size_t i = 0; length && i < file_count; i++) {
        char name[256];

        if (strncmp(files[i].path, path + 4, length) != 0 || files[i].path[length] != '/')
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(files[i].path + length + 1, "/"),
                 files[i].path + length + 1);
        visit(context, name);
        is_there = true;
    }
    return is_there ? 0 : ENOENT;
}

int __wrap_os_read_link(const char *path, char *target, size_t size)
{
    const char *found = find(path);

    if (!found || strncmp(found, "->", 2) != 0)
        return ENOENT;
    snprintf(target, size, "%s", found + 2);
    target[strcspn(target, "\n")] = '\0';
    return 0;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- what is asked ---------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    (void)name;
    return NULL;
}

static void reject(const char *name, const char *accepted)
{
    (void)name, (void)accepted;
}

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format,
              arguments); /* its arguments are what they are said to be */
    va_end(arguments);
}

static void read_tree(char *text)
{
    file_count = 0;
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n'), *next;

        if (*line != '/' || !end || file_count == FILES)
            return;
        *end = '\0';
        next = strstr(end + 1, "\n/");
        if (end[1] == '/')
            next = end;
        files[file_count].path = line;
        files[file_count++].text = next == end ? "" : end + 1;
        if (!next)
            return;
        *next = '\0';
        line = next + 1;
    }
}

/* In a child: what is found once stays. */
static void say_everything(void)
{
    static struct kind_cpus groups[NODEMASK_NODES];
    struct node_report node;
    struct kind_report kind;

    for (unsigned number = 0; number < REPORTED_NODES; number++)
        report_node(number, &node);
    for (size_t i = 0; i < MEMKIND_NUM_BASE_KIND; i++) {
        report_kind(&page_kind_static[i], &kind);
        MUST(kind.error || kind.capacity >= 0);
        MUST(kind.error || report_kind_cpus(&page_kind_static[i], groups) > 0);
    }
}

static void check_topology(void)
{
    static struct topology topology;

    memset(&topology, 0, sizeof topology);
    topology_read(&topology);
    MUST(!nodemask_empty(&topology.online));
    MUST(nodemask_subset(&topology.with_cpu, &topology.online));
    MUST(nodemask_subset(&topology.populated, &topology.online));
    MUST(nodemask_subset(&topology.gpu, &topology.populated));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct callbacks services;
    char *text = text_of(data, size);
    int status = 0;
    pid_t pid;

    services = *callbacks;
    services.environment = variable;
    services.reject = reject;
    services.log = say;
    callbacks_set(&services);
    read_tree(text);
    check_topology();
    pid = fork();
    if (pid == 0) {
        alarm(20);
        say_everything();
        _exit(0);
    }
    MUST(pid < 0 || (waitpid(pid, &status, 0) == pid && status == 0));
    free(text);
    return 0;
}
