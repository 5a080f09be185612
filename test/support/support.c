/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see support.h. Huge pages: support_pools.c; the kernel's word: support_kernel.c. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/filter.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 60 /* a child that hangs ends */

void test_skip(const char *format, ...)
{
    char reason[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    fprintf(stderr, "SKIP: %s/%s: %s\n", criterion_current_suite->name,
            criterion_current_test->name, reason);
    cr_skip_test("%s", reason);
    abort(); /* not reached */
}

/* --- environment ------------------------------------------------------------------------------ */

/* Nor does the kernel give huge pages that nobody asks for, as it does where a distribution wants
 * it so (Debian: of every mapping): a byte that is touched would make 2 MiB resident, and that is
 * what tests measure. */
void test_bare(void)
{
    static const char *const names[] = {
        "MEMKIND_HEAP_MANAGER",  "MEMKIND_HBW_NODES",          "MEMKIND_DAX_KMEM_NODES",
        "MEMKIND_HBW_THRESHOLD", "MEMKIND_ARENA_NUM_PER_KIND", "MEMKIND_HOG_MEMORY",
        "MEMKIND_DEBUG",         "MEMKIND_BACKGROUND_THREADS", "MEMKIND_BACKGROUND_THREAD_LIMIT",
        "MEMKIND_CHECK",
    };

    for (size_t i = 0; i < LENGTH(names); i++)
        unsetenv(names[i]);
    if (getenv(TEST_HEAP_MANAGER))
        setenv("MEMKIND_HEAP_MANAGER", getenv(TEST_HEAP_MANAGER), 1);
    if (getenv(TEST_CHECK))
        setenv("MEMKIND_CHECK", getenv(TEST_CHECK), 1);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

bool test_tbb(void)
{
    const char *manager = getenv(TEST_HEAP_MANAGER);

    return manager && strcmp(manager, "TBB") == 0;
}

void test_with_nodes(void)
{
    test_bare();
    setenv("MEMKIND_HBW_NODES", "0", 1);
    setenv("MEMKIND_DAX_KMEM_NODES", "0", 1);
}

/* --- kinds ------------------------------------------------------------------------------------ */

/* A table is read in columns. */
/* clang-format off */
#define ROW(NAME, NODES, POLICY, PAGE_SIZE)                                                        \
    {                                                                                              \
        "MEMKIND_" #NAME, &MEMKIND_##NAME, MEMKIND_PARTITION_##NAME, NODES_##NODES, MPOL_##POLICY, \
            (PAGE_SIZE)                                                                            \
    }

const struct test_kind test_kinds[MEMKIND_NUM_BASE_KIND] = {
    ROW(DEFAULT,                           PROCESS,       DEFAULT,    0),
    ROW(REGULAR,                           CPU,           BIND,       0),
    ROW(INTERLEAVE,                        MEMORY,        INTERLEAVE, 0),
    ROW(HUGETLB,                           PROCESS,       DEFAULT,    2 * MIB),
    ROW(GBTLB,                             PROCESS,       DEFAULT,    GIB),
    ROW(HBW,                               HBW,           BIND,       0),
    ROW(HBW_HUGETLB,                       HBW,           BIND,       2 * MIB),
    ROW(HBW_GBTLB,                         HBW,           BIND,       GIB),
    ROW(HBW_ALL,                           HBW,           BIND,       0),
    ROW(HBW_ALL_HUGETLB,                   HBW,           BIND,       2 * MIB),
    ROW(HBW_PREFERRED,                     HBW,           PREFERRED,  0),
    ROW(HBW_PREFERRED_HUGETLB,             HBW,           PREFERRED,  2 * MIB),
    ROW(HBW_PREFERRED_GBTLB,               HBW,           PREFERRED,  GIB),
    ROW(HBW_INTERLEAVE,                    HBW,           INTERLEAVE, 0),
    ROW(DAX_KMEM,                          DAX,           BIND,       0),
    ROW(DAX_KMEM_ALL,                      DAX,           BIND,       0),
    ROW(DAX_KMEM_PREFERRED,                DAX,           PREFERRED,  0),
    ROW(DAX_KMEM_INTERLEAVE,               DAX,           INTERLEAVE, 0),
    ROW(HIGHEST_CAPACITY,                  LARGEST,       BIND,       0),
    ROW(HIGHEST_CAPACITY_PREFERRED,        LARGEST,       PREFERRED,  0),
    ROW(HIGHEST_CAPACITY_LOCAL,            LARGEST_LOCAL, BIND,       0),
    ROW(HIGHEST_CAPACITY_LOCAL_PREFERRED,  LARGEST_LOCAL, PREFERRED,  0),
    ROW(LOWEST_LATENCY_LOCAL,              LATENCY,       BIND,       0),
    ROW(LOWEST_LATENCY_LOCAL_PREFERRED,    LATENCY,       PREFERRED,  0),
    ROW(HIGHEST_BANDWIDTH_LOCAL,           BANDWIDTH,     BIND,       0),
    ROW(HIGHEST_BANDWIDTH_LOCAL_PREFERRED, BANDWIDTH,     PREFERRED,  0),
};
/* clang-format on */

const struct test_kind *test_next_kind(const struct test_kind *kind)
{
    for (kind = kind ? kind + 1 : test_kinds; kind < test_kinds + MEMKIND_NUM_BASE_KIND; kind++)
        if (!kind->page_size && memkind_check_available(*kind->variable) == MEMKIND_SUCCESS)
            return kind;
    return NULL;
}

int test_create_kind(memkind_bits_t flags, memkind_t *kind)
{
    return memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, flags, kind);
}

memkind_t test_create_file(const char *directory, size_t limit)
{
    memkind_t kind;

    if (access(directory, W_OK) != 0)
        test_skip("%s: %s", directory, strerror(errno));
    cr_assert_eq(memkind_create_pmem(directory, limit, &kind), MEMKIND_SUCCESS);
    return kind;
}

/* --- small files ------------------------------------------------------------------------------ */

bool test_read_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, size - 1);

    if (file >= 0)
        close(file);
    text[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

bool test_write_number(const char *path, size_t number)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%zu\n", number);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool written = file >= 0 && write(file, text, (size_t)length) == length;

    if (file >= 0)
        close(file);
    return written;
}

size_t test_read_number(const char *path)
{
    char text[64];

    return test_read_text(path, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* --- sets of nodes ---------------------------------------------------------------------------- */

#define WORD_BITS (8 * (int)sizeof(unsigned long))

bool test_mask_has(const struct test_mask *mask, int node)
{
    return node >= 0 && node < TEST_NODES &&
           (mask->bits[node / WORD_BITS] >> (node % WORD_BITS) & 1);
}

bool test_mask_equal(const struct test_mask *a, const struct test_mask *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

int test_mask_count(const struct test_mask *mask)
{
    int count = 0;

    for (int node = 0; node < TEST_NODES; node++)
        count += test_mask_has(mask, node);
    return count;
}

struct test_mask test_nodes_file(const char *file)
{
    struct test_mask mask = {{0}};
    char path[128], text[4096], *at = text;

    snprintf(path, sizeof path, TEST_NODE_FILES "/%s", file);
    if (!test_read_text(path, text, sizeof text))
        strcpy(text, "0");
    while (*at >= '0' && *at <= '9') {
        long first = strtol(at, &at, 10);
        long last = *at == '-' ? strtol(at + 1, &at, 10) : first;

        for (long node = first; node <= last && node < TEST_NODES; node++)
            mask.bits[node / WORD_BITS] |= 1UL << (node % WORD_BITS);
        at += *at == ',';
    }
    return mask;
}

bool test_exists(const char *pattern)
{
    glob_t found;
    bool any = glob(pattern, 0, NULL, &found) == 0;

    globfree(&found);
    return any;
}

bool test_has_figures(void)
{
    return test_exists(TEST_NODE_FILES "/node*/access*/initiators/read_bandwidth");
}

size_t test_nodes_memory(const struct test_mask *mask)
{
    size_t sum = 0;

    for (int node = 0; node < TEST_NODES; node++) {
        char path[128], text[4096];
        const char *line;

        if (!test_mask_has(mask, node))
            continue;
        snprintf(path, sizeof path, TEST_NODE_FILES "/node%d/meminfo", node);
        line = test_read_text(path, text, sizeof text) ? strstr(text, "MemTotal:") : NULL;
        sum += line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * KIB : 0;
    }
    return sum;
}

/* --- content ---------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t value)
{
    value *= 0x9e3779b97f4a7c15U;
    return value ^ value >> 29;
}

void test_fill(void *block, size_t size, uint64_t seed)
{
    unsigned char *bytes = block;
    size_t at = 0;

    for (; at + sizeof seed <= size; at += sizeof seed) {
        uint64_t word = mix(seed + at);

        memcpy(bytes + at, &word, sizeof word);
    }
    for (uint64_t word = mix(seed + at); at < size; at++, word >>= 8)
        bytes[at] = (unsigned char)word;
}

bool test_holds(const void *block, size_t size, uint64_t seed)
{
    const unsigned char *bytes = block;
    size_t at = 0;

    for (; at + sizeof seed <= size; at += sizeof seed) {
        uint64_t word = mix(seed + at);

        if (memcmp(bytes + at, &word, sizeof word) != 0)
            return false;
    }
    for (uint64_t word = mix(seed + at); at < size; at++, word >>= 8)
        if (bytes[at] != (unsigned char)word)
            return false;
    return true;
}

bool test_is_zero(const void *block, size_t size)
{
    const unsigned char *bytes = block;

    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

uint64_t test_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- children --------------------------------------------------------------------------------- */

static void change_environment(const char *const environment[])
{
    for (; environment && *environment; environment++) {
        const char *value = strchr(*environment, '=');
        char name[64];

        if (!value) {
            unsetenv(*environment);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(value - *environment), *environment);
        setenv(name, value + 1, 1);
    }
}

void test_run(struct test_child *child, void (*function)(void *argument), void *argument,
              const char *const environment[])
{
    int errors = memfd_create("stderr", MFD_CLOEXEC);
    pid_t pid;
    ssize_t length;

    cr_assert(errors >= 0, "memfd_create: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    cr_assert(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(CHILD_SECONDS);
        dup2(errors, STDERR_FILENO);
        change_environment(environment);
        function(argument);
        _exit(0);
    }
    while (waitpid(pid, &child->status, 0) < 0)
        cr_assert(errno == EINTR, "waitpid: %s", strerror(errno));
    length = pread(errors, child->errors, sizeof child->errors - 1, 0);
    close(errors);
    if (length == sizeof child->errors - 1)
        while (child->errors[length - 1] != '\n')
            length--; /* whole lines only */
    child->errors[length < 0 ? 0 : length] = '\0';
    if (strstr(child->errors, "Sanitizer") || strstr(child->errors, "runtime error:"))
        fputs(child->errors, stderr); /* for whoever runs the tests */
    child->lines = 0;
    for (const char *at = child->errors; (at = strchr(at, '\n')) != NULL; at++)
        child->lines++;
}

void test_run_well(struct test_child *child, void (*function)(void *argument), void *argument,
                   const char *const environment[])
{
    test_run(child, function, argument, environment);
    cr_assert(WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0,
              "the child ended with %s %d; it said:\n%s",
              WIFSIGNALED(child->status) ? "signal" : "status",
              WIFSIGNALED(child->status) ? WTERMSIG(child->status) : WEXITSTATUS(child->status),
              child->errors);
}

void *test_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert(memory != MAP_FAILED, "mmap: %s", strerror(errno));
    return memory;
}

bool test_line(const char *text, const char *expression)
{
    regex_t regex;
    bool found;

    cr_assert(regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) == 0,
              "not a regular expression: %s", expression);
    found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static void install_filter(struct sock_filter *filter, unsigned short length)
{
    struct sock_fprog program = {.len = length, .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        test_skip("no seccomp filter: %s", strerror(errno));
}

void test_refuse(long call, int error, int index, uint64_t least)
{
    /* Both halves of the argument, on a little-endian machine. */
    unsigned low = (unsigned)offsetof(struct seccomp_data, args) + 8 * (unsigned)index;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + 4),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)(least >> 32), 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(least >> 32), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)least, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    install_filter(filter, LENGTH(filter));
}

void test_refuse_huge_pages(void)
{
    enum { FLAGS = offsetof(struct seccomp_data, args) + 8 * 3 };
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_HUGETLB, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    install_filter(filter, LENGTH(filter));
}

/* --- time ------------------------------------------------------------------------------------- */

static atomic_long jumped;
static atomic_long stopped_at; /* in this second; 0: the clock runs */

/* A program's function comes before libc's: the library sees this clock. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);

    if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
        long stopped = atomic_load_explicit(&stopped_at, memory_order_relaxed);

        if (stopped)
            *time = (struct timespec){stopped, 0};
        time->tv_sec += atomic_load_explicit(&jumped, memory_order_relaxed);
    }
    return result;
}

void test_jump(long seconds)
{
    atomic_fetch_add_explicit(&jumped, seconds, memory_order_relaxed);
}

void test_stop_clock(void)
{
    struct timespec now;

    cr_assert_eq((int)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), 0);
    atomic_store_explicit(&stopped_at, now.tv_sec, memory_order_relaxed);
}

void test_decay(memkind_t kind)
{
    /* An arena looks at its clock now and then, as it is used by blocks that no cache holds. */
    for (int round = 0; round < 3; round++) {
        test_jump(30);
        for (int i = 0; i < 5000; i++)
            memkind_free(kind, memkind_malloc(kind, 64 * KIB));
    }
    memkind_update_cached_stats(); /* where TBB looks at the clock, too */
}

size_t test_kind_stat(memkind_t kind, memkind_stat_type type)
{
    size_t value;

    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_get_stat(kind, type, &value), MEMKIND_SUCCESS);
    return value;
}

size_t test_kind_resident(memkind_t kind)
{
    return test_kind_stat(kind, MEMKIND_STAT_TYPE_RESIDENT);
}

size_t test_kind_allocated(memkind_t kind)
{
    return test_kind_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED);
}
