/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see os.h. Raw syscall() where glibc has no wrapper. */
#include "kinds/system/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kinds/system/callbacks.h"
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
#define INTERRUPTS_MOST 1000         /* repetitions of an interrupted call */
#define STANDARD 3                   /* standard input, output and error are those below */
#define PLACES_MOST 8                /* tries to map a file where other threads map, too */
#define STEP_LEAST ((size_t)2 << 20) /* of an interrupted fallocate(2) */

static int failed(const char *call, size_t size)
{
    int error = errno;

    if (size)
        callbacks->log("%s of %zu bytes: %s (errno %d)", call, size, strerrordesc_np(error), error);
    else
        callbacks->log("%s: %s (errno %d)", call, strerrordesc_np(error), error);
    errno = error;
    return error;
}

size_t os_page_size(void)
{
    return getauxval(AT_PAGESZ);
}

static void *map(size_t size, int protection, int flags, const char *call)
{
    void *address = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    if (address == MAP_FAILED) {
        failed(call, size);
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

/* Mapped and gone again: the kernel's rule (vm.overcommit_memory) is more than what could be read
 * of it. */
bool os_may_have(size_t size)
{
    void *address = map(size, READ_WRITE, 0, "mmap, to be counted,");

    return address && os_unmap(address, size) == 0;
}

void *os_map_stack(size_t size)
{
    char *stack = map(size, READ_WRITE, MAP_NORESERVE | MAP_STACK, "mmap");

    if (stack && mprotect(stack, os_page_size(), PROT_NONE)) {
        failed("mprotect", 0);
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
        failed(sync ? "mmap(MAP_SYNC) of a file" : "mmap of a file", size);
    return NULL;
}

int os_unmap(void *address, size_t size)
{
    return munmap(address, size) ? failed("munmap", size) : 0;
}

int os_bind(void *address, size_t size, const struct os_policy *policy)
{
    if (policy->mode < 0)
        return 0;
    /* maxnode counts one bit more than it says: the kernel drops the last. */
    if (syscall(SYS_mbind, address, size, policy->mode, policy->nodes.bits, NODEMASK_NODES + 1, 0))
        return failed("mbind", size);
    return 0;
}

int os_populate(void *address, size_t size)
{
    return madvise(address, size, MADV_POPULATE_WRITE) ? failed("madvise(POPULATE_WRITE)", size)
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
    return madvise(address, size, MADV_DONTNEED) ? failed("madvise(DONTNEED)", size) : 0;
}

int os_protect(void *address, size_t size, bool usable)
{
    return mprotect(address, size, usable ? READ_WRITE : PROT_NONE) ? failed("mprotect", size) : 0;
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
        failed("sigaction", 0);
}

int os_no_huge_pages(void *address, size_t size)
{
    /* EINVAL: a kernel without transparent huge pages, which is what was asked for. */
    if (madvise(address, size, MADV_NOHUGEPAGE) && errno != EINVAL)
        return failed("madvise(NOHUGEPAGE)", size);
    return 0;
}

int os_no_readahead(void *address, size_t size)
{
    return madvise(address, size, MADV_RANDOM) ? failed("madvise(RANDOM)", size) : 0;
}

int os_no_core_dump(void *address, size_t size)
{
    return madvise(address, size, MADV_DONTDUMP) ? failed("madvise(DONTDUMP)", size) : 0;
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
        return failed("get_mempolicy", 0);
    return 0;
}

int os_rewrite(void *address)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {address, 1};

    /* Through the kernel, which says EFAULT where a plain store would be a signal. */
    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != 1 ||
        process_vm_writev(getpid(), &here, 1, &there, 1, 0) != 1)
        return failed("process_vm_writev", 0);
    return 0;
}

int os_page_nodes(size_t count, void **pages, int *status)
{
    if (syscall(SYS_move_pages, 0, count, pages, NULL, status, 0))
        return failed("move_pages", 0);
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

/* What /proc tells of pages that mincore(2) is not to be asked about. */
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

size_t os_backed(void *address, size_t size)
{
    size_t backed;

    return pages_of(address, size, &backed) == 0 || pages_in_map(address, size, &backed) ? backed
                                                                                         : size;
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

ssize_t os_read_file(const char *path, char *text, size_t size)
{
    size_t length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        if (errno != ENOENT)
            failed(path, 0);
        return -1;
    }
    while (length + 1 < size) {
        ssize_t got = read(file, text + length, size - 1 - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            failed(path, 0);
            close(file);
            return -1;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    close(file);
    text[length] = '\0';
    return (ssize_t)length;
}

/* Calls visit() for the whole lines at the beginning of a text. How much of it is left. */
static size_t visit_lines(char *text, size_t length, void (*visit)(void *context, char *line),
                          void *context)
{
    char *start = text, *end;

    while ((end = memchr(start, '\n', length - (size_t)(start - text)))) {
        *end = '\0';
        visit(context, start);
        start = end + 1;
    }
    length -= (size_t)(start - text);
    memmove(text, start, length);
    return length;
}

int os_read_lines(const char *path, void (*visit)(void *context, char *line), void *context)
{
    char text[4096];
    size_t length = 0;
    ssize_t got;
    int error, file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return errno == ENOENT ? ENOENT : failed(path, 0);
    while ((got = read(file, text + length, sizeof text - length)) > 0 ||
           (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        /* What is longer than that is passed over: its end looks like a line that says nothing. */
        length = visit_lines(text, length + (size_t)got, visit, context) % sizeof text;
    }
    text[length] = '\0';
    if (length)
        visit(context, text);
    error = got < 0 ? failed(path, 0) : 0;
    os_close(file);
    return error;
}

int os_read_folder(const char *path, void (*visit)(void *context, const char *name), void *context)
{
    /* getdents64(2)'s records; opendir(3) would call malloc. */
    _Alignas(struct dirent64) char objects[4096];
    ssize_t got;
    int error, file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (file < 0)
        return errno == ENOENT ? ENOENT : failed(path, 0);
    while ((got = syscall(SYS_getdents64, file, objects, sizeof objects)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(objects + at);

            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                visit(context, entry->d_name);
            at += entry->d_reclen;
        }
    }
    error = got < 0 ? failed(path, 0) : 0;
    os_close(file);
    return error;
}

int os_read_link(const char *path, char *target, size_t size)
{
    ssize_t length = readlink(path, target, size);

    if (length < 0)
        return errno;
    if ((size_t)length >= size)
        return ENAMETOOLONG;
    target[length] = '\0';
    return 0;
}

/* Occupies the descriptors of standard input, output and error that the program has closed, by ones
 * that cannot be read or written. Returns how many. */
static int occupy_standard(int held[STANDARD])
{
    int count = 0;

    while (count < STANDARD &&
           (fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
            fcntl(STDERR_FILENO, F_GETFD) < 0)) {
        held[count] = openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC);
        if (held[count] < 0)
            break;
        count++;
    }
    return count;
}

/* Where it was not to be had otherwise, or another thread has closed one meanwhile. */
static int move_from_standard(int file)
{
    int moved;

    if (file < 0 || file >= STANDARD)
        return file;
    moved = fcntl(file, F_DUPFD_CLOEXEC, STANDARD);
    os_close(file);
    return moved;
}

int os_open(int directory, const char *path, int flags)
{
    int held[STANDARD], count = occupy_standard(held), file = -1;

    for (int i = 0; i < INTERRUPTS_MOST; i++) {
        file = openat(directory, path, flags | O_CLOEXEC, 0600);
        if (file >= 0 || errno != EINTR)
            break;
    }
    file = move_from_standard(file);
    while (count)
        os_close(held[--count]);
    if (file < 0)
        failed(path, 0);
    return file;
}

void os_close(int file)
{
    int error = errno;

    close(file);
    errno = error;
}

int os_identify(int file, struct os_identity *identity)
{
    struct stat found;

    if (fstat(file, &found))
        return failed("fstat", 0);
    *identity = (struct os_identity){found.st_dev, found.st_ino};
    return 0;
}

bool os_is_file(int file, const struct os_identity *identity)
{
    struct stat found;
    int error = errno;
    bool same = fstat(file, &found) == 0 && found.st_dev == identity->device &&
                found.st_ino == identity->inode;

    errno = error;
    return same;
}

int os_unlink(int directory, const char *name)
{
    return unlinkat(directory, name, 0) ? failed("unlink", 0) : 0;
}

int os_path(int file, char *path, size_t size)
{
    char link[64];
    int error;

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    error = os_read_link(link, path, size);
    if (!error)
        return 0;
    errno = error;
    return failed("readlink", 0);
}

/* --- files that get too large ------------------------------------------------------------------
 */

/* Beyond RLIMIT_FSIZE there is EFBIG, and SIGXFSZ for the thread. That one is held back and taken:
 * to ask for the limit beforehand would not do, since another thread may lower it meanwhile. What
 * the signal mask was. */
static sigset_t hold_file_signal(void)
{
    sigset_t signal, before;

    sigemptyset(&signal);
    sigaddset(&signal, SIGXFSZ);
    sigemptyset(&before);
    pthread_sigmask(SIG_BLOCK, &signal, &before);
    return before;
}

/* Not by sigtimedwait(2)'s name, which is a cancellation point: the log has no guard.h. */
static void release_file_signal(const sigset_t *before, int error)
{
    static const struct timespec at_once;
    sigset_t signal;

    sigemptyset(&signal);
    sigaddset(&signal, SIGXFSZ);
    if (error == EFBIG && !sigismember(before, SIGXFSZ))
        syscall(SYS_rt_sigtimedwait, &signal, NULL, &at_once, _NSIG / 8);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* A file system may undo an interrupted call: then smaller steps get on where signals come often.
 */
static int allocate(int file, size_t offset, size_t size)
{
    size_t done = 0, step = size;

    for (int interrupts = 0; done < size;) {
        if (step > size - done)
            step = size - done;
        if (fallocate(file, 0, (off_t)(offset + done), (off_t)step) == 0)
            done += step;
        else if (errno != EINTR || ++interrupts == INTERRUPTS_MOST)
            return failed("fallocate", size);
        else if (step > STEP_LEAST)
            step = step / 2 & ~(os_page_size() - 1);
    }
    return 0;
}

static int write_zeroes(int file, size_t offset, size_t size)
{
    /* A base page at a time, lest the page cache make one large folio of several. */
    static char zeroes[4096];
    size_t done = 0;

    for (int interrupts = 0; done < size;) {
        size_t step = size - done < sizeof zeroes ? size - done : sizeof zeroes;
        ssize_t put = pwrite(file, zeroes, step, (off_t)(offset + done));

        if (put > 0)
            done += (size_t)put;
        else if (put == 0 || errno != EINTR || ++interrupts == INTERRUPTS_MOST)
            return put == 0 ? ENOSPC : failed("pwrite", size);
    }
    return 0;
}

static int grow(int (*how)(int file, size_t offset, size_t size), int file, size_t offset,
                size_t size)
{
    sigset_t before = hold_file_signal();
    int error = how(file, offset, size);

    release_file_signal(&before, error);
    return error;
}

int os_allocate(int file, size_t offset, size_t size)
{
    return grow(allocate, file, offset, size);
}

int os_write_zeroes(int file, size_t offset, size_t size)
{
    return grow(write_zeroes, file, offset, size);
}

int os_punch(int file, size_t offset, size_t size)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

    for (int i = 0; fallocate(file, mode, (off_t)offset, (off_t)size); i++)
        if (errno != EINTR || i == INTERRUPTS_MOST)
            return failed("fallocate(PUNCH_HOLE)", size);
    return 0;
}

int os_punch_mapped(void *address, size_t size)
{
    return madvise(address, size, MADV_REMOVE) ? failed("madvise(REMOVE)", size) : 0;
}

int os_file_system(int file, size_t *total, size_t *unused)
{
    struct statfs system;
    size_t unit;

    if (fstatfs(file, &system))
        return failed("fstatfs", 0);
    unit = (size_t)(system.f_frsize ? system.f_frsize : system.f_bsize);
    *total = system.f_blocks * unit;
    *unused = system.f_bfree * unit;
    return 0;
}

bool os_allocates_pages(int file)
{
    struct statfs system;

    return fstatfs(file, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

unsigned long os_unique(void)
{
    static atomic_ulong calls;
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long)now.tv_sec * 1000000000 + (unsigned long)now.tv_nsec +
           ((unsigned long)getpid() << 40) + (atomic_fetch_add(&calls, 1) << 20);
}

int os_copy_to_memory(const char *path, const char *name)
{
    int from = os_open(AT_FDCWD, path, O_RDONLY), to = -1;
    ssize_t copied = -1;

    if (from >= 0)
        to = memfd_create(name, MFD_CLOEXEC);
    do {
        if (to >= 0)
            copied = sendfile(to, from, NULL, (size_t)1 << 30);
    } while (copied > 0 || (copied < 0 && to >= 0 && errno == EINTR));
    if (copied < 0) {
        callbacks->log("%s cannot be copied to memory: %s", path, strerrordesc_np(errno));
        if (to >= 0)
            os_close(to);
        to = -1;
    }
    if (from >= 0)
        os_close(from);
    return to;
}

uint64_t os_random(void)
{
    const void *bytes = (const void *)getauxval(AT_RANDOM); /* of this program's start */
    uint64_t random = 0;

    if (bytes)
        memcpy(&random, bytes, sizeof random);
    return random ^ os_unique() * 0x9e3779b97f4a7c15u;
}

void os_write_error(const char *text, size_t size)
{
    int error = errno;
    sigset_t before = hold_file_signal(); /* stderr may be a file */

    while (size) {
        /* Not write(2) by its name, which is a cancellation point: the log has no guard.h. */
        ssize_t put = syscall(SYS_write, STDERR_FILENO, text, size);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        text += put;
        size -= (size_t)put;
    }
    release_file_signal(&before, size ? errno : 0);
    errno = error;
}

int os_process(void)
{
    return getpid();
}

int os_thread(void)
{
    return gettid();
}

bool os_thread_is_gone(int thread)
{
    int error = errno;
    bool gone = tgkill(getpid(), thread, 0) && errno == ESRCH;

    errno = error;
    return gone;
}

long os_seconds(void)
{
    struct timespec now;

    return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) ? 0 : now.tv_sec;
}

int os_create_thread(pthread_t *thread, void *(*run)(void *))
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void os_wait(const atomic_uint *word, unsigned value, unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

void os_wake(const atomic_uint *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

bool os_can_barrier_everywhere(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
        return true;
    failed("membarrier", 0);
    return false;
}

int os_barrier_everywhere(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ? failed("membarrier", 0)
                                                                           : 0;
}

/* Not sched_yield(2): a thread of a real-time policy would never let one of lower priority run. */
void os_yield(void)
{
    const struct timespec moment = {0, 50000};

    syscall(SYS_nanosleep, &moment, NULL); /* nanosleep(3) is a cancellation point */
}

unsigned os_cpu_count(void)
{
    /* Room for 8,192 CPUs; a larger machine answers EINVAL and gets the safe guess. */
    unsigned long mask[128] = {0};
    unsigned count = 0;

    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0)
        return 1;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++)
        count += (unsigned)__builtin_popcountl(mask[i]);
    return count ? count : 1;
}
