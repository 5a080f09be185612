/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see profile_source.h. The kernel's samples (perf_event_open): an event for
 * each CPU and kind of access, each with a ring of the process's and its threads' samples. */
#define _GNU_SOURCE
#include "profile_source.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEVICES "/sys/bus/event_source/devices"
#define RING_PAGES ((size_t)32) /* a power of two: what every user may have for each CPU */
#define PER_SECOND 4000         /* precise samples, on each CPU */

struct ring {
    int file;
    struct perf_event_mmap_page *pages;
};

struct perf {
    pid_t process;
    size_t page, count;
    struct ring *rings;
};

/* --- which events ----------------------------------------------------------------------------- */

/* The text of a small file. */
static bool read_text(char *text, size_t size, const char *path)
{
    FILE *stream = fopen(path, "r");
    bool read = stream && fgets(text, (int)size, stream);

    if (stream)
        fclose(stream);
    if (read)
        text[strcspn(text, "\n")] = '\0';
    return read;
}

/* A word of an event's description, like umask=0x1, goes to the bits that the device's format
 * names. */
static bool set_field(struct perf_event_attr *event, const char *device, const char *word)
{
    char path[PATH_MAX], format[64], name[32];
    const char *value = strchr(word, '=');
    unsigned which = 0, first = 0;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    snprintf(path, sizeof path, DEVICES "/%s/format/%s", device, name);
    if (!read_text(format, sizeof format, path) ||
        (sscanf(format, "config:%u", &first) != 1 &&
         sscanf(format, "config%u:%u", &which, &first) != 2))
        return false;
    *(which == 0   ? &event->config
      : which == 1 ? &event->config1
                   : &event->config2) |= (value ? strtoull(value + 1, NULL, 0) : 1) << first;
    return which <= 2;
}

static bool describe(struct perf_event_attr *event, const char *device, const char *name)
{
    char path[PATH_MAX], text[256], *rest = text, *word;

    snprintf(path, sizeof path, DEVICES "/%s/type", device);
    if (!read_text(text, sizeof text, path))
        return false;
    event->type = (uint32_t)strtoul(text, NULL, 10);
    if (!name)
        return true;
    snprintf(path, sizeof path, DEVICES "/%s/events/%s", device, name);
    if (!read_text(text, sizeof text, path))
        return false;
    while ((word = strsep(&rest, ",")) != NULL)
        if (!set_field(event, device, word))
            return false;
    return true;
}

static const struct kind {
    const char *device, *name;
} precise[] = {{"cpu", "mem-loads"},
               {"cpu", "mem-stores"},
               {"cpu_core", "mem-loads"},
               {"cpu_core", "mem-stores"},
               {"ibs_op", NULL}};

/* --- rings ------------------------------------------------------------------------------------ */

static struct perf_event_attr common(void)
{
    return (struct perf_event_attr){.size = sizeof(struct perf_event_attr),
                                    .sample_type =
                                        PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR,
                                    .disabled = 1,
                                    .inherit = 1,
                                    .enable_on_exec = 1,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1,
                                    .use_clockid = 1,
                                    .clockid = CLOCK_MONOTONIC};
}

static bool open_ring(struct perf *perf, struct perf_event_attr *event, int cpu)
{
    struct ring *ring = &perf->rings[perf->count];

    ring->file =
        (int)syscall(SYS_perf_event_open, event, perf->process, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (ring->file < 0)
        return false;
    ring->pages = mmap(NULL, (1 + RING_PAGES) * perf->page, PROT_READ | PROT_WRITE, MAP_SHARED,
                       ring->file, 0);
    if (ring->pages == MAP_FAILED) {
        close(ring->file);
        return false;
    }
    perf->count++;
    return true;
}

/* On all CPUs, of which some may be offline; some of AMD's kernels cannot leave the kernel out. */
static bool open_everywhere(struct perf *perf, struct perf_event_attr *event, long cpus)
{
    bool opened = false;

    for (int cpu = 0; cpu < cpus; cpu++)
        opened |= open_ring(perf, event, cpu);
    return opened;
}

static void open_precise_events(struct perf *perf, long cpus)
{
    for (size_t i = 0; i < sizeof precise / sizeof precise[0]; i++) {
        struct perf_event_attr event = common();

        event.freq = 1;
        event.sample_freq = PER_SECOND;
        event.precise_ip = precise[i].name ? 2 : 0;
        if (!describe(&event, precise[i].device, precise[i].name) ||
            open_everywhere(perf, &event, cpus) || precise[i].name)
            continue;
        event.exclude_kernel = event.exclude_hv = 0;
        open_everywhere(perf, &event, cpus);
    }
}

static void open_fault_events(struct perf *perf, long cpus)
{
    struct perf_event_attr event = common();

    event.type = PERF_TYPE_SOFTWARE;
    event.config = PERF_COUNT_SW_PAGE_FAULTS;
    event.sample_period = 1;
    open_everywhere(perf, &event, cpus);
}

static void close_rings(void *opened)
{
    struct perf *perf = opened;

    for (size_t i = 0; i < perf->count; i++) {
        munmap(perf->rings[i].pages, (1 + RING_PAGES) * perf->page);
        close(perf->rings[i].file);
    }
    free(perf->rings);
    free(perf);
}

static void *open_rings(void (*open_events)(struct perf *, long), pid_t process, char *why)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    struct perf *perf = calloc(1, sizeof *perf);
    int error;

    if (perf) {
        perf->process = process;
        perf->page = (size_t)sysconf(_SC_PAGESIZE);
        perf->rings =
            calloc((size_t)cpus * (sizeof precise / sizeof precise[0]), sizeof *perf->rings);
        errno = perf->rings ? ENODEV : ENOMEM; /* if there is not even a device to ask */
        if (perf->rings)
            open_events(perf, cpus);
        if (perf->count)
            return perf;
        error = errno;
        close_rings(perf);
        errno = error;
    }
    snprintf(why, PROFILE_WHY, "the kernel has none here, or not for this user: %s",
             strerror(errno));
    return NULL;
}

static void *open_precise(pid_t process, char *why)
{
    return open_rings(open_precise_events, process, why);
}

static void *open_faults(pid_t process, char *why)
{
    return open_rings(open_fault_events, process, why);
}

/* --- samples ---------------------------------------------------------------------------------- */

struct record {
    struct perf_event_header header;
    union {
        struct {
            uint32_t process, thread;
            uint64_t time, address;
        } sample;
        struct {
            uint64_t id, lost;
        } lost;
    };
};

/* Records are multiples of 8 bytes, and may go over the end of the ring. */
static void copy(void *record, const char *ring, uint64_t from, size_t size, size_t ring_size)
{
    for (size_t i = 0; i < size; i += 8)
        memcpy((char *)record + i, ring + (from + i) % ring_size, 8);
}

static size_t drain_ring(const struct perf *perf, const struct ring *ring, FILE *stream)
{
    const char *data = (const char *)ring->pages + perf->page;
    size_t size = RING_PAGES * perf->page, lost = 0;
    uint64_t end = __atomic_load_n(&ring->pages->data_head, __ATOMIC_ACQUIRE);
    uint64_t at = ring->pages->data_tail;
    struct record record;

    for (; at < end; at += record.header.size) {
        copy(&record, data, at, sizeof record.header, size);
        if (record.header.size < sizeof record.header)
            break;
        if (record.header.size > sizeof record)
            continue;
        copy(&record, data, at, record.header.size, size);
        if (record.header.type == PERF_RECORD_LOST)
            lost += record.lost.lost;
        /* Of children there are samples, too; IBS has some without an address. */
        if (record.header.type == PERF_RECORD_SAMPLE && record.sample.address &&
            record.sample.process == (uint32_t)perf->process)
            fprintf(stream, "%" PRIu64 ".%09" PRIu64 ": %" PRIx64 "\n",
                    record.sample.time / 1000000000, record.sample.time % 1000000000,
                    record.sample.address);
    }
    __atomic_store_n(&ring->pages->data_tail, end, __ATOMIC_RELEASE);
    return lost;
}

static size_t drain(void *opened, FILE *stream)
{
    const struct perf *perf = opened;
    size_t lost = 0;

    for (size_t i = 0; i < perf->count; i++)
        lost += drain_ring(perf, &perf->rings[i], stream);
    return lost;
}

const struct profile_source profile_precise = {"samples", true, open_precise, drain, close_rings};
const struct profile_source profile_faults = {"faults", false, open_faults, drain, close_rings};
