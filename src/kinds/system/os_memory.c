/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Memory and its policies. Why and thread rules: see os.h. Raw syscall() where glibc has no
 * wrapper. */
#include "kinds/system/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kinds/system/os_failed.h"
#include "kinds/system/round.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PLACES_MOST 8 /* tries to map a file where other threads map, too */

size_t os_page_size(void)
{
    return getauxval(AT_PAGESZ);
}

static void *map(size_t size, int protection, int flags, const char *call)
{
    void *address = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    if (address == MAP_FAILED) {
        os_failed(call, size);
        return NULL;
    }
    return address;
}

/* mmap(2) aligns to `unit` only: takes more and returns what lies outside. */
static void *map_aligned(size_t size, size_t alignment, size_t unit, int protection, int flags,
                         const char *call)
{
    size_t slack = alignment > unit ? alignment - unit : 0;
    char *start, *aligned;
    size_t lead;

    if (size + slack < size) {
        errno = ENOMEM;
        return NULL;
    }
    start = map(size, protection, flags, call);
    if (!start || ((uintptr_t)start & (alignment - 1)) == 0)
        return start;
    os_unmap(start, size);
    start = map(size + slack, protection, flags, call);
    if (!start)
        return NULL;
    aligned = (char *)round_up((uintptr_t)start, alignment);
    lead = (size_t)(aligned - start);
    if (lead)
        os_unmap(start, lead);
    if (slack > lead)
        os_unmap(aligned + size, slack - lead);
    return aligned;
}

void *os_map(size_t size, size_t alignment)
{
    return map_aligned(size, alignment, os_page_size(), READ_WRITE, MAP_NORESERVE, "mmap");
}

int os_move(void *address, void *to, size_t size)
{
    if (mremap(address, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
        return os_failed("mremap", size);
    return 0;
}

/* Mapped and gone again: the kernel's rule (vm.overcommit_memory) is more than what could be read
 * of it. */
bool os_may_have(size_t size)
{
    void *address = map(size, READ_WRITE, 0, "trial mmap");

    return address && os_unmap(address, size) == 0;
}

void *os_map_stack(size_t size)
{
    char *stack = map(size, READ_WRITE, MAP_NORESERVE | MAP_STACK, "mmap");

    if (stack && mprotect(stack, os_page_size(), PROT_NONE)) {
        os_failed("mprotect", 0);
        os_unmap(stack, size);
        return NULL;
    }
    return stack;
}

void *os_map_huge(size_t size, size_t alignment, size_t page_size)
{
    int flags = MAP_HUGETLB | (int)((unsigned)__builtin_ctzl(page_size) << MAP_HUGE_SHIFT);

    return map_aligned(size, alignment, page_size, READ_WRITE, flags, "mmap(MAP_HUGETLB)");
}

/* A place that suits now, and may be another thread's a moment later. */
static void *find_place(size_t size, size_t alignment)
{
    void *place =
        map_aligned(size, alignment, os_page_size(), PROT_NONE, MAP_NORESERVE, "mmap(PROT_NONE)");

    return place && os_unmap(place, size) == 0 ? place : NULL;
}

/*
 * Not MAP_FIXED over a reserved place: where that fails late, the reservation is gone already, and
 * nobody knows whose the place is then.
 */
void *os_map_file(int file, size_t offset, size_t size, size_t alignment, bool sync)
{
    int flags = sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED;
    void *place = NULL;

    for (int i = 0; i < PLACES_MOST; i++) {
        void *address = mmap(place, size, READ_WRITE, flags | (place ? MAP_FIXED_NOREPLACE : 0),
                             file, (off_t)offset);

        if (address == MAP_FAILED && errno != EEXIST)
            break;
        if (address != MAP_FAILED && ((uintptr_t)address & (alignment - 1)) == 0)
            return address;
        if (address != MAP_FAILED)
            os_unmap(address, size);
        place = find_place(size, alignment);
        if (!place)
            return NULL;
    }
    if (!sync || (errno != EOPNOTSUPP && errno != EINVAL)) /* the answers where there is no DAX */
        os_failed(sync ? "mmap(MAP_SYNC) of a file" : "mmap of a file", size);
    return NULL;
}

int os_unmap(void *address, size_t size)
{
    return munmap(address, size) ? os_failed("munmap", size) : 0;
}

int os_bind(void *address, size_t size, const struct os_policy *policy)
{
    if (policy->mode < 0)
        return 0;
    /* maxnode counts one bit more than it says: the kernel drops the last. */
    if (syscall(SYS_mbind, address, size, policy->mode, policy->nodes.bits, NODEMASK_NODES + 1, 0))
        return os_failed("mbind", size);
    return 0;
}

int os_populate(void *address, size_t size)
{
    return madvise(address, size, MADV_POPULATE_WRITE) ? os_failed("madvise(POPULATE_WRITE)", size)
                                                       : 0;
}

bool os_can_populate(void)
{
    /* 0 unknown, 1 yes, 2 no: the kernel accepts an empty range iff it knows the advice. */
    static atomic_int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);

    if (!answer) {
        answer = madvise(NULL, 0, MADV_POPULATE_WRITE) == 0 ? 1 : 2;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 1;
}

int os_discard(void *address, size_t size)
{
    return madvise(address, size, MADV_DONTNEED) ? os_failed("madvise(DONTNEED)", size) : 0;
}

int os_protect(void *address, size_t size, bool usable)
{
    return mprotect(address, size, usable ? READ_WRITE : PROT_NONE) ? os_failed("mprotect", size)
                                                                    : 0;
}

static void (*look_at_fault)(const void *address);
static struct sigaction fault_before; /* what was done until now; written before the handler is */

/* What the process does without us: the fault happens again, or the signal comes again. */
static void fault_by_default(int signal, const siginfo_t *info)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    if (info->si_code <= 0 && fault_before.sa_handler == SIG_IGN)
        return;
    sigaction(signal, &action, NULL);
    if (info->si_code <= 0)
        tgkill(getpid(), gettid(), signal);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    int error = errno;

    if (info->si_code > 0)
        look_at_fault(info->si_addr);
    errno = error;
    if (fault_before.sa_flags & SA_SIGINFO)
        fault_before.sa_sigaction(signal, info, context);
    else if (fault_before.sa_handler == SIG_DFL || fault_before.sa_handler == SIG_IGN)
        fault_by_default(signal, info);
    else
        fault_before.sa_handler(signal);
}

void os_watch_faults(void (*look)(const void *address))
{
    struct sigaction action = {.sa_sigaction = on_fault};

    look_at_fault = look;
    if (sigaction(SIGSEGV, NULL, &fault_before))
        return;
    action.sa_mask = fault_before.sa_mask;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | (fault_before.sa_flags & (SA_NODEFER | SA_RESTART));
    if (sigaction(SIGSEGV, &action, NULL))
        os_failed("sigaction", 0);
}

int os_no_huge_pages(void *address, size_t size)
{
    /* EINVAL: a kernel without transparent huge pages, which is what was asked for. */
    if (madvise(address, size, MADV_NOHUGEPAGE) && errno != EINVAL)
        return os_failed("madvise(NOHUGEPAGE)", size);
    return 0;
}

int os_no_readahead(void *address, size_t size)
{
    return madvise(address, size, MADV_RANDOM) ? os_failed("madvise(RANDOM)", size) : 0;
}

int os_no_core_dump(void *address, size_t size)
{
    return madvise(address, size, MADV_DONTDUMP) ? os_failed("madvise(DONTDUMP)", size) : 0;
}

void os_name(void *address, size_t size, const char *name)
{
    int error = errno;

    (void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, size, name);
    errno = error;
}

unsigned os_current_node(void)
{
    unsigned cpu, node;

    return getcpu(&cpu, &node) == 0 && node < NODEMASK_NODES ? node : 0;
}

int os_allowed_nodes(struct nodemask *nodes)
{
    memset(nodes, 0, sizeof *nodes);
    if (syscall(SYS_get_mempolicy, NULL, nodes->bits, NODEMASK_NODES, NULL, MPOL_F_MEMS_ALLOWED))
        return os_failed("get_mempolicy", 0);
    return 0;
}

int os_rewrite(void *address)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {address, 1};

    /* Through the kernel, which says EFAULT where a plain store would be a signal. */
    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != 1 ||
        process_vm_writev(getpid(), &here, 1, &there, 1, 0) != 1)
        return os_failed("process_vm_writev", 0);
    return 0;
}

int os_page_nodes(size_t count, void **pages, int *status)
{
    if (syscall(SYS_move_pages, 0, count, pages, NULL, status, 0))
        return os_failed("move_pages", 0);
    return 0;
}

/* Asks about pages, 1 MiB a call; *backed: bytes of those that are there. 0, or an errno: ENOMEM
 * where some are not mapped. */
static int pages_of(void *address, size_t size, size_t *backed)
{
    unsigned char resident[256];
    size_t page = os_page_size(), most = sizeof resident * page;
    char *at = address;

    *backed = 0;
    while (size) {
        size_t step = size < most ? size : most;

        if (mincore(at, step, resident))
            return errno;
        for (size_t i = 0; i < (step + page - 1) / page; i++)
            *backed += resident[i] & 1 ? page : 0;
        at += step;
        size -= step;
    }
    return 0;
}

/* What /proc tells of pages, also where mincore(2) may not be asked. Those under migration count as
 * swapped there. */
static bool pages_in_map(void *address, size_t size, size_t *backed)
{
    uint64_t entries[256];
    size_t page = os_page_size(), left = size / page;
    off_t at = (off_t)((uintptr_t)address / page * sizeof entries[0]);
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    *backed = 0;
    while (file >= 0 && left) {
        size_t step =
            left < sizeof entries / sizeof entries[0] ? left : sizeof entries / sizeof entries[0];

        if (pread(file, entries, step * sizeof entries[0], at) !=
            (ssize_t)(step * sizeof entries[0]))
            break;
        for (size_t i = 0; i < step; i++)
            *backed += entries[i] >> 62 ? page : 0; /* present, or swapped */
        at += (off_t)(step * sizeof entries[0]);
        left -= step;
    }
    if (file >= 0)
        os_close(file);
    return left == 0;
}

/* A sandbox may refuse mincore(2). msync(2) without a wish fails where a page is not mapped, and
 * does nothing else. */
bool os_is_mapped(void *address, size_t size)
{
    size_t backed;
    int error = pages_of(address, size, &backed);

    if (!error || error == ENOMEM)
        return !error;
    return syscall(SYS_msync, address, size, MS_ASYNC) == 0;
}

static bool swap_is_used(void)
{
    struct sysinfo machine;

    return sysinfo(&machine) == 0 && machine.freeswap < machine.totalswap;
}

/* mincore(2) does not know pages that are swapped out. It is asked first, since it costs the least,
 * and pages are mostly all there. */
size_t os_backed(void *address, size_t size)
{
    size_t resident, backed;
    bool told = pages_of(address, size, &resident) == 0;

    if (told && (resident == size || !swap_is_used()))
        return resident;
    if (pages_in_map(address, size, &backed))
        return backed;
    return told ? resident : size;
}

uint64_t os_min_free(void)
{
    char text[32];

    return os_read_file("/proc/sys/vm/min_free_kbytes", text, sizeof text) < 0
               ? 0
               : strtoull(text, NULL, 10) * 1024;
}

uint64_t os_free_swap(void)
{
    struct sysinfo machine;

    return sysinfo(&machine) ? 0 : (uint64_t)machine.freeswap * machine.mem_unit;
}

/* Programs that lock all they will ever map have something locked. */
static bool has_locked_memory(void)
{
    char text[4096];
    const char *line;

    if (os_read_file("/proc/self/status", text, sizeof text) < 0)
        return true;
    line = strstr(text, "\nVmLck:");
    return !line || strtoul(line + strlen("\nVmLck:"), NULL, 10) != 0;
}

bool os_addresses_are_free(void)
{
    struct rlimit limit;
    char text[32];

    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY &&
           os_read_file("/proc/sys/vm/overcommit_memory", text, sizeof text) > 0 &&
           text[0] != '2' && !has_locked_memory();
}
