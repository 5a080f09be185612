/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Files. Why and thread rules: see os.h. Raw syscall() where glibc has no wrapper. */
#include "kinds/system/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/os_failed.h"

#define INTERRUPTS_MOST 1000         /* repetitions of an interrupted call */
#define STANDARD 3                   /* standard input, output and error are those below */
#define STEP_LEAST ((size_t)2 << 20) /* of an interrupted fallocate(2) */

ssize_t os_read_file(const char *path, char *text, size_t size)
{
    size_t length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        if (errno != ENOENT)
            os_failed(path, 0);
        return -1;
    }
    while (length + 1 < size) {
        ssize_t got = read(file, text + length, size - 1 - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            os_failed(path, 0);
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
        return errno == ENOENT ? ENOENT : os_failed(path, 0);
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
    error = got < 0 ? os_failed(path, 0) : 0;
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
        return errno == ENOENT ? ENOENT : os_failed(path, 0);
    while ((got = syscall(SYS_getdents64, file, objects, sizeof objects)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(objects + at);

            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                visit(context, entry->d_name);
            at += entry->d_reclen;
        }
    }
    error = got < 0 ? os_failed(path, 0) : 0;
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
        os_failed(path, 0);
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
        return os_failed("fstat", 0);
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
    return unlinkat(directory, name, 0) ? os_failed("unlink", 0) : 0;
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
    return os_failed("readlink", 0);
}

/* --- files that get too large ----------------------------------------------------------------- */

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
            return os_failed("fallocate", size);
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
            return put == 0 ? ENOSPC : os_failed("pwrite", size);
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
            return os_failed("fallocate(PUNCH_HOLE)", size);
    return 0;
}

int os_punch_mapped(void *address, size_t size)
{
    return madvise(address, size, MADV_REMOVE) ? os_failed("madvise(REMOVE)", size) : 0;
}

bool os_next_data(int file, size_t *first, size_t *end)
{
    off_t data = lseek(file, (off_t)*first, SEEK_DATA), hole;

    if (data < 0 && errno == ENXIO)
        return false;
    if (data < 0)
        data = (off_t)*first;
    hole = lseek(file, data, SEEK_HOLE);
    if (hole < 0)
        hole = lseek(file, 0, SEEK_END);
    *first = (size_t)data;
    *end = hole > data ? (size_t)hole : *first;
    return hole > data;
}

int os_file_system(int file, size_t *total, size_t *unused)
{
    struct statfs system;
    size_t unit;

    if (fstatfs(file, &system))
        return os_failed("fstatfs", 0);
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

int os_copy_to_memory(const char *path, const char *name)
{
    int from = os_open(AT_FDCWD, path, O_RDONLY), to = -1, error;
    sigset_t before = hold_file_signal(); /* a limit of files holds for this one, too */
    ssize_t copied = -1;

    if (from >= 0)
        to = memfd_create(name, MFD_CLOEXEC);
    do {
        if (to >= 0)
            copied = sendfile(to, from, NULL, (size_t)1 << 30);
    } while (copied > 0 || (copied < 0 && to >= 0 && errno == EINTR));
    error = copied < 0 ? errno : 0;
    release_file_signal(&before, error);
    if (error) {
        callbacks->log("%s cannot be copied to memory: %s", path, strerrordesc_np(error));
        if (to >= 0)
            os_close(to);
        to = -1;
    }
    if (from >= 0)
        os_close(from);
    return to;
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
