/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see failing_calls.h. */
#include "failing_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* An address space, a file table, a container that forbid things. */
const struct injection injections[] = {
    {"mmap ENOMEM", CALL_MMAP, ENOMEM},
    {"munmap ENOMEM", CALL_MUNMAP, ENOMEM},
    {"madvise ENOMEM", CALL_MADVISE, ENOMEM},
    {"madvise EINVAL", CALL_MADVISE, EINVAL},
    {"mbind EPERM", CALL_MBIND, EPERM},
    {"mbind ENOMEM", CALL_MBIND, ENOMEM},
    {"mbind EINVAL", CALL_MBIND, EINVAL},
    {"prctl EINVAL", CALL_PRCTL, EINVAL},
    {"open EMFILE", CALL_OPEN, EMFILE},
    {"read EIO", CALL_READ, EIO},
    {"queries ENOSYS", CALL_QUERY, ENOSYS},
    {"pthread_key_create EAGAIN", CALL_KEY_CREATE, EAGAIN},
    {"pthread_setspecific ENOMEM", CALL_SETSPECIFIC, ENOMEM},
    {"memory calls ENOMEM", CALL_MMAP | CALL_MUNMAP | CALL_MADVISE | CALL_MBIND, ENOMEM},
};
const size_t injection_count = LENGTH(injections);

/* Calls that only kinds in files and areas make. */
const struct injection file_injections[] = {
    {"mmap of a file ENODEV", CALL_MMAP_FILE, ENODEV},
    {"open EINTR", CALL_OPEN, EINTR},
    {"open(O_TMPFILE) EOPNOTSUPP", CALL_TMPFILE, EOPNOTSUPP},
    {"readlink and unlink EACCES", CALL_PATH, EACCES},
    {"open(O_TMPFILE) and unlink EOPNOTSUPP", CALL_TMPFILE | CALL_PATH, EOPNOTSUPP},
    {"fallocate ENOSPC", CALL_RESERVE, ENOSPC},
    {"fallocate EOPNOTSUPP", CALL_RESERVE, EOPNOTSUPP},
    {"fallocate EINTR", CALL_RESERVE | CALL_PUNCH, EINTR},
    {"fallocate and pwrite ENOSYS", CALL_RESERVE | CALL_PWRITE, ENOSYS},
    {"fallocate(PUNCH_HOLE) EIO", CALL_PUNCH, EIO},
    {"fallocate(PUNCH_HOLE) EOPNOTSUPP", CALL_PUNCH, EOPNOTSUPP},
    {"fstatfs EIO", CALL_FSTATFS, EIO},
    {"mincore and process_vm_readv ENOMEM", CALL_AREA, ENOMEM},
    {"process_vm_readv EPERM", CALL_AREA, EPERM},
};
const size_t file_injection_count = LENGTH(file_injections);

static const struct injection *injected; /* NULL: nothing fails */
static bool stays;                       /* all from the N-th on */
static atomic_long left;                 /* calls until the one that fails */
static atomic_ulong failed;              /* how many did */

/*
 * jemalloc cannot start halfway: it would abort. So the library tries, before it starts jemalloc,
 * whether there is memory enough (start.c), and that is the call to fail then; the tests of
 * limits below show that this is enough.
 */
#define CALLS_OF_START (CALL_MMAP | CALL_MUNMAP | CALL_MADVISE | CALL_KEY_CREATE | CALL_SETSPECIFIC)
extern _Atomic(bool) jem_ready;
static bool jemalloc_starts;

static bool fails(enum call call)
{
    long before;

    if (!injected || !(injected->calls & call))
        return false;
    if (!jem_ready && jemalloc_starts && (call & CALLS_OF_START))
        return false;
    before = atomic_fetch_sub(&left, 1);
    if (before > 1 || (before < 1 && !stays))
        return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

void calls_fail(const struct injection *injection, long nth, bool all_after)
{
    stays = all_after;
    left = nth;
    injected = injection;
}

void calls_work(void)
{
    injected = NULL;
}

unsigned long calls_failed(void)
{
    return failed;
}

static int fail(void)
{
    errno = injected->error;
    return -1;
}

int __real_madvise(void *address, size_t size, int advice);
long __real_syscall(long number, ...);
int __real_prctl(int option, ...);
int __real_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
ssize_t __real_readlink(const char *path, char *text, size_t size);
int __real_unlinkat(int directory, const char *path, int flags);
int __real_fallocate(int file, int mode, off_t offset, off_t size);
ssize_t __real_pwrite(int file, const void *data, size_t size, off_t offset);
int __real_fstatfs(int file, struct statfs *system);
int __real_mincore(void *address, size_t size, unsigned char *resident);
ssize_t __real_process_vm_readv(pid_t process, const struct iovec *here, unsigned long nhere,
                                const struct iovec *there, unsigned long nthere,
                                unsigned long flags);
ssize_t __real_read(int file, void *buffer, size_t size);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_setspecific(pthread_key_t key, const void *value);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if ((file >= 0 && fails(CALL_MMAP_FILE)) || fails(CALL_MMAP)) {
        fail();
        return MAP_FAILED;
    }
    return __real_mmap(address, size, protection, flags, file, offset);
}

int __wrap_munmap(void *address, size_t size)
{
    jemalloc_starts = true; /* the trial's memory goes back */
    return fails(CALL_MUNMAP) ? fail() : __real_munmap(address, size);
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    return fails(CALL_MADVISE) ? fail() : __real_madvise(address, size, advice);
}

/* Calls with fewer arguments have others behind them, which are not looked at. */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...)
{
    unsigned long argument[6];
    enum call call = number == SYS_mbind ? CALL_MBIND : CALL_QUERY;
    va_list arguments;

    /* One is support.c's; the next one's failure would be a descriptor that jemalloc loses; the
     * last is the log's. */
    if (number != SYS_clock_gettime && number != SYS_close && number != SYS_write && fails(call))
        return fail();
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    return __real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4],
                          argument[5]);
}

int __wrap_prctl(int option, ...)
{
    unsigned long argument[4];
    va_list arguments;

    if (fails(CALL_PRCTL))
        return fail();
    va_start(arguments, option);
    for (int i = 0; i < 4; i++)
        argument[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    return __real_prctl(option, argument[0], argument[1], argument[2], argument[3]);
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    if (fails(CALL_OPEN))
        return fail();
    if (flags & O_CREAT) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return __real_open(path, flags, mode);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    if (fails(CALL_OPEN) || ((flags & O_TMPFILE) == O_TMPFILE && fails(CALL_TMPFILE)))
        return fail();
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return __real_openat(directory, path, flags, mode);
}

ssize_t __wrap_readlink(const char *path, char *text, size_t size)
{
    return fails(CALL_PATH) ? fail() : __real_readlink(path, text, size);
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
    /* What cannot be unlinked stays: not for ever, in a test. */
    if (fails(CALL_PATH)) {
        __real_unlinkat(directory, path, flags);
        return fail();
    }
    return __real_unlinkat(directory, path, flags);
}

int __wrap_fallocate(int file, int mode, off_t offset, off_t size)
{
    return fails(mode ? CALL_PUNCH : CALL_RESERVE) ? fail()
                                                   : __real_fallocate(file, mode, offset, size);
}

ssize_t __wrap_pwrite(int file, const void *data, size_t size, off_t offset)
{
    return fails(CALL_PWRITE) ? fail() : __real_pwrite(file, data, size, offset);
}

int __wrap_fstatfs(int file, struct statfs *system)
{
    return fails(CALL_FSTATFS) ? fail() : __real_fstatfs(file, system);
}

int __wrap_mincore(void *address, size_t size, unsigned char *resident)
{
    return fails(CALL_AREA) ? fail() : __real_mincore(address, size, resident);
}

ssize_t __wrap_process_vm_readv(pid_t process, const struct iovec *here, unsigned long nhere,
                                const struct iovec *there, unsigned long nthere,
                                unsigned long flags)
{
    return fails(CALL_AREA) ? fail()
                            : __real_process_vm_readv(process, here, nhere, there, nthere, flags);
}

ssize_t __wrap_read(int file, void *buffer, size_t size)
{
    return fails(CALL_READ) ? fail() : __real_read(file, buffer, size);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    return fails(CALL_KEY_CREATE) ? injected->error : __real_pthread_key_create(key, destructor);
}

/* glibc needs memory for the first value of a thread and key at most. */
int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    static __thread bool had_value[PTHREAD_KEYS_MAX];
    bool had = had_value[key];

    had_value[key] = true;
    return !had && fails(CALL_SETSPECIFIC) ? injected->error
                                           : __real_pthread_setspecific(key, value);
}
