/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_failures: whatever the system refuses is an error code, and nothing is lost.
 *
 * As SQLite does it: an operation is repeated with its first system call failing, then with its
 * second, and so on until it gets through without a failure; then the same with all calls failing
 * from the N-th on. Whatever fails, an operation works, or it says so: NULL with errno ENOMEM, or
 * an error code. It never crashes, aborts or hangs; what was there before is unharmed; the same
 * operation works as soon as the system does; and nothing is lost on the way: twelve failures take
 * no more address space than one.
 *
 * The library's calls are caught by the linker (--wrap, see CMakeLists.txt), so this program is
 * linked to the static library. Each attempt is a child of its own: most failures matter at first
 * use.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 60
#define CALLS_MOST 500 /* no operation makes more calls */
#define REPETITIONS 12 /* of a failure, to see a leak */

TestSuite(failures, .init = test_with_nodes, .fini = test_pool_restore, .timeout = 280);

/* --- calls that fail ----------------------------------------------------------------------------
 */

enum call {
    CALL_MMAP = 1 << 0,
    CALL_MUNMAP = 1 << 1,
    CALL_MADVISE = 1 << 2,
    CALL_MBIND = 1 << 3,
    CALL_PRCTL = 1 << 4,
    CALL_OPEN = 1 << 5,
    CALL_READ = 1 << 6,
    CALL_KEY_CREATE = 1 << 7,
    CALL_SETSPECIFIC = 1 << 8,
    CALL_QUERY = 1 << 9, /* get_mempolicy, move_pages, sched_getaffinity */
    CALL_RESERVE = 1 << 10,
    CALL_PUNCH = 1 << 11,
    CALL_PATH = 1 << 12, /* readlink, unlinkat */
    CALL_FSTATFS = 1 << 13,
    CALL_AREA = 1 << 14, /* mincore, process_vm_readv */
    CALL_TMPFILE = 1 << 15,
    CALL_PWRITE = 1 << 16,
    CALL_MMAP_FILE = 1 << 17, /* of mmap: of files */
};

struct injection {
    const char *name;
    unsigned calls; /* enum call: these fail */
    int error;
};

/* An address space, a file table, a container that forbid things. */
static const struct injection injections[] = {
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

/* Calls that only kinds in files and areas make. */
static const struct injection file_injections[] = {
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

static const struct injection *injected; /* NULL: nothing fails */
static bool stays;                       /* all from the N-th on */
static atomic_long left;                 /* calls until the one that fails */
static atomic_ulong failed;              /* how many did */

/*
 * jemalloc cannot start halfway: it would abort. So the library tries, before it starts jemalloc,
 * whether there is memory enough (manager.c), and that is the call to fail then; the tests of
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

static int fail(void)
{
    errno = injected->error;
    return -1;
}

void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t size);
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

long __wrap_syscall(long number, ...)
{
    unsigned long argument[6];
    enum call call = number == SYS_mbind ? CALL_MBIND : CALL_QUERY;
    va_list arguments;

    /* One is support.c's; the other's failure would be a descriptor that jemalloc loses. */
    if (number != SYS_clock_gettime && number != SYS_close && fails(call))
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

/* --- operations ---------------------------------------------------------------------------------
 */

/* Each returns NULL when it has worked and has tidied up, REFUSED when it has failed as it may, or
 * else what is wrong. */
static const char refusal[] = "refused";
#define REFUSED refusal

#define EXPECT(condition)                  \
    do {                                   \
        if (!(condition))                  \
            return "expected " #condition; \
    } while (0)

static const char *check_block(memkind_t kind, void *block, size_t size)
{
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    EXPECT(memkind_malloc_usable_size(kind, block) >= size);
    test_fill(block, size, size);
    EXPECT(test_holds(block, size, size));
    memkind_free(size % 2 ? NULL : kind, block);
    return NULL;
}

static const char *allocate(memkind_t kind, size_t size)
{
    errno = 0;
    return check_block(kind, memkind_malloc(kind, size), size);
}

static const char *malloc_default(void)
{
    return allocate(MEMKIND_DEFAULT, 100);
}

static const char *malloc_regular(void)
{
    return allocate(MEMKIND_REGULAR, 1001);
}

static const char *malloc_interleave(void)
{
    return allocate(MEMKIND_INTERLEAVE, 50000);
}

static const char *malloc_hbw(void)
{
    return allocate(MEMKIND_HBW, 100);
}

static const char *malloc_dax_preferred(void)
{
    return allocate(MEMKIND_DAX_KMEM_PREFERRED, 7001);
}

static const char *malloc_hugetlb(void)
{
    return allocate(MEMKIND_HUGETLB, 100000);
}

static const char *malloc_large(void)
{
    return allocate(MEMKIND_REGULAR, 12 * MIB);
}

/* Every size class, so that slabs, extents and caches are all needed. */
static const char *malloc_many_sizes(void)
{
    const char *result = NULL;

    for (size_t size = 8; size <= 4 * MIB; size += size / 2) {
        const char *wrong = allocate(MEMKIND_DEFAULT, size);

        if (wrong && wrong != REFUSED)
            return wrong;
        result = wrong ? wrong : result;
    }
    return result;
}

static const char *calloc_large(void)
{
    unsigned char *block;

    errno = 0;
    block = memkind_calloc(MEMKIND_REGULAR, 3, 7 * MIB);
    if (block)
        EXPECT(test_is_zero(block, 21 * MIB));
    return check_block(MEMKIND_REGULAR, block, 21 * MIB);
}

static const char *memalign_large(void)
{
    void *block = &block;
    int error;

    errno = TEST_ERRNO;
    error = memkind_posix_memalign(MEMKIND_REGULAR, &block, 8 * MIB, 5 * MIB);
    EXPECT(errno == TEST_ERRNO);
    if (error == ENOMEM) {
        EXPECT(block == (void *)&block);
        return REFUSED;
    }
    EXPECT(error == 0);
    EXPECT(((uintptr_t)block & (8 * MIB - 1)) == 0);
    return check_block(MEMKIND_REGULAR, block, 5 * MIB);
}

/* Grows by steps; a block that cannot grow stays as it is. */
static const char *realloc_growth(void)
{
    size_t size = 1000;
    void *block, *larger;

    errno = 0;
    block = memkind_malloc(MEMKIND_REGULAR, size);
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    test_fill(block, size, 5);
    for (size_t next = 3000; next <= 16 * MIB; next *= 4) {
        errno = 0;
        larger = memkind_realloc(next % 8 ? NULL : MEMKIND_REGULAR, block, next);
        EXPECT(test_holds(larger ? larger : block, size, 5));
        if (!larger) {
            EXPECT(errno == ENOMEM);
            EXPECT(memkind_detect_kind(block) == MEMKIND_REGULAR);
            memkind_free(NULL, block);
            return REFUSED;
        }
        block = larger;
        size = next;
        test_fill(block, size, 5);
    }
    memkind_free(NULL, block);
    return NULL;
}

static const char *create_and_destroy(void)
{
    memkind_t kind = NULL;
    const char *result, *second;
    int error = memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL,
                                    (memkind_bits_t)0, &kind);

    if (error) {
        EXPECT(error < 0 && !kind);
        return REFUSED;
    }
    EXPECT(kind);
    result = allocate(kind, 100);
    second = allocate(kind, 9 * MIB);
    if (!result || (second && second != REFUSED))
        result = second;
    /* A kind that is left over would not be NULL: out of memory, it can be destroyed later. */
    while ((error = memkind_destroy_kind(kind)) != 0) {
        EXPECT(error == MEMKIND_ERROR_MALLOC || error == MEMKIND_ERROR_OPERATION_FAILED);
        injected = NULL;
    }
    EXPECT(memkind_destroy_kind(kind) == MEMKIND_ERROR_INVALID);
    return result;
}

/* Small and large blocks of a kind that was created, and its end. */
static const char *use_and_destroy(memkind_t kind, int error)
{
    const char *result = REFUSED;

    if (error) {
        EXPECT(error < 0 && !kind);
        return REFUSED;
    }
    EXPECT(kind);
    for (size_t size = 100; size <= 3 * MIB; size *= 30) {
        result = allocate(kind, size);
        if (result)
            break;
    }
    while ((error = memkind_destroy_kind(kind)) != 0) {
        EXPECT(error == MEMKIND_ERROR_MALLOC || error == MEMKIND_ERROR_OPERATION_FAILED);
        injected = NULL;
    }
    return result;
}

static int descriptors(void)
{
    int count = 0;

    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* Whatever fails, no descriptor is left. */
static const char *pmem_in(const char *directory, size_t limit)
{
    int before = descriptors();
    memkind_t kind = NULL;
    const char *result;
    int error;

    error = memkind_create_pmem(directory, limit, &kind);
    result = use_and_destroy(kind, error);
    EXPECT(before == descriptors());
    return result;
}

static const char *pmem_on_tmpfs(void)
{
    return pmem_in("/dev/shm", 16 * MIB);
}

static const char *pmem_on_disk(void)
{
    return pmem_in("/var/tmp", 0);
}

static const char *fixed_area(void)
{
    size_t size = 16 * MIB;
    void *area =
        __real_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memkind_t kind = NULL;
    const char *result;
    int error;

    EXPECT(area != MAP_FAILED);
    error = memkind_create_fixed(area, size, &kind);
    result = use_and_destroy(kind, error);
    EXPECT(__real_munmap(area, size) == 0);
    return result;
}

static const char *questions_about_files(void)
{
    int dax = memkind_check_dax_path("/dev/shm");

    EXPECT(dax == MEMKIND_ERROR_MMAP || dax == MEMKIND_ERROR_RUNTIME);
    return dax == MEMKIND_ERROR_MMAP ? NULL : REFUSED;
}

static void *attach(void *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++) {
        const char *wrong = allocate(i ? MEMKIND_REGULAR : MEMKIND_DEFAULT, 300);

        if (wrong)
            return (void *)wrong;
    }
    return NULL;
}

static const char *attach_threads(void)
{
    const char *result = NULL;

    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *wrong;

        EXPECT(pthread_create(&thread, NULL, attach, NULL) == 0);
        pthread_join(thread, &wrong);
        if (wrong && result != NULL && result != REFUSED)
            continue;
        result = wrong ? wrong : result;
    }
    return result;
}

/* What cannot be given back is not taken for zeroes. */
static const char *calloc_after_purge(void)
{
    void *block;

    errno = 0;
    block = memkind_malloc(MEMKIND_REGULAR, 12 * MIB);
    if (!block)
        return errno == ENOMEM ? REFUSED : "NULL with another errno than ENOMEM";
    memset(block, 0xff, 12 * MIB);
    memkind_free(MEMKIND_REGULAR, block);
    test_decay(MEMKIND_REGULAR);
    return calloc_large();
}

static const char *ask(void)
{
    int answer = memkind_check_available(MEMKIND_HBW);
    ssize_t capacity = memkind_get_capacity(MEMKIND_REGULAR);

    EXPECT(answer <= 0);
    EXPECT(capacity >= -1);
    return answer || capacity < 0 ? REFUSED : NULL;
}

static const char *statistics(void)
{
    size_t value = 0;
    int error = memkind_update_cached_stats();

    EXPECT(error == 0 || error == MEMKIND_ERROR_OPERATION_FAILED);
    if (error)
        return REFUSED;
    error = memkind_get_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED, &value);
    EXPECT(error == 0 || error == MEMKIND_ERROR_OPERATION_FAILED);
    return error ? REFUSED : NULL;
}

/* --- one attempt: a child -----------------------------------------------------------------------
 */

struct attempt {
    const char *(*operation)(void);
    bool warm;                         /* the operation has worked before */
    const struct injection *injection; /* NULL: none */
    bool stays;
    long nth;
};

/* Written by the child. */
struct outcome {
    unsigned long failed; /* calls that failed */
    char wrong[512];      /* empty: nothing */
};

static const char *attempt_once(const struct attempt *attempt)
{
    const char *wrong;

    stays = attempt->stays;
    left = attempt->nth;
    injected = attempt->injection;
    wrong = attempt->operation();
    injected = NULL;
    return wrong;
}

/* Pages of address space. */
static size_t address_space(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    if (!file || fscanf(file, "%zu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

#define SAY(outcome, ...) snprintf((outcome)->wrong, sizeof(outcome)->wrong, __VA_ARGS__)

/* Failure upon failure takes no address space; where munmap() fails that cannot be asked for. */
static void look_for_leak(const struct attempt *attempt, struct outcome *outcome)
{
    size_t space = address_space(), after;

    for (int i = 0; i < REPETITIONS; i++)
        (void)attempt_once(attempt);
    after = address_space();
    if (after > space + 12 * MIB)
        SAY(outcome, "%d failures take %zu MiB of address space", REPETITIONS,
            (after - space) / MIB);
}

static void child(const struct attempt *attempt, struct outcome *outcome)
{
    static unsigned char *kept;
    const char *wrong = NULL;

    alarm(CHILD_SECONDS);
    if (attempt->warm) {
        kept = memkind_malloc(MEMKIND_REGULAR, 3000);
        wrong = kept ? attempt->operation() : "no memory";
        if (wrong) {
            SAY(outcome, "without any failure: %s", wrong);
            return;
        }
        test_fill(kept, 3000, 99);
    }
    wrong = attempt_once(attempt);
    outcome->failed = failed;
    if (wrong == REFUSED && !failed)
        wrong = "refused although no call failed";
    if (wrong && wrong != REFUSED) {
        SAY(outcome, "%s", wrong);
        return;
    }
    wrong = attempt->operation();
    if (wrong) {
        SAY(outcome, "the system works again, the operation does not: %s", wrong);
        return;
    }
    if (attempt->warm && !test_holds(kept, 3000, 99))
        SAY(outcome, "a block from before was changed");
    if (attempt->warm && !TEST_SANITIZED && failed && !(attempt->injection->calls & CALL_MUNMAP))
        look_for_leak(attempt, outcome);
}

/* Whether a call failed; the test fails when something else is wrong. */
static bool run(const char *name, const struct attempt *attempt)
{
    static struct outcome *outcome;
    const char *how = attempt->stays ? "and all after it" : "alone";
    int status = 0;
    pid_t process;

    if (!outcome)
        outcome = test_shared(sizeof *outcome);
    memset(outcome, 0, sizeof *outcome);
    process = fork();
    if (process == 0) {
        child(attempt, outcome);
        _exit(0);
    }
    cr_assert_gt(process, 0);
    cr_assert_eq(waitpid(process, &status, 0), process);
    cr_expect(status == 0, "%s%s, %s number %ld %s: status %#x%s", attempt->warm ? "warm " : "",
              name, attempt->injection->name, attempt->nth, how, (unsigned)status,
              WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", it hung" : "");
    cr_expect(!outcome->wrong[0], "%s%s, %s number %ld %s: %s", attempt->warm ? "warm " : "", name,
              attempt->injection->name, attempt->nth, how, outcome->wrong);
    return status != 0 || outcome->failed;
}

/* The operation, with each of its calls failing in turn. */
static void run_table(const char *name, const char *(*operation)(void),
                      const struct injection *table, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        for (int variant = 0; variant < 4; variant++) {
            struct attempt attempt = {.operation = operation,
                                      .injection = &table[i],
                                      .stays = variant & 1,
                                      .warm = variant & 2,
                                      .nth = 0};

            while (++attempt.nth <= CALLS_MOST && run(name, &attempt))
                ;
            cr_assert_leq(attempt.nth, CALLS_MOST, "%s never gets through", name);
        }
    }
}

static void run_all(const char *name, const char *(*operation)(void))
{
    run_table(name, operation, injections, LENGTH(injections));
}

#define OPERATION(NAME)       \
    Test(failures, NAME)      \
    {                         \
        run_all(#NAME, NAME); \
    }

OPERATION(malloc_default)
OPERATION(malloc_regular)
OPERATION(malloc_interleave)
OPERATION(malloc_hbw)
OPERATION(malloc_dax_preferred)
OPERATION(malloc_large)
OPERATION(malloc_many_sizes)
OPERATION(calloc_large)
OPERATION(memalign_large)
OPERATION(realloc_growth)
OPERATION(create_and_destroy)
#define FILE_OPERATION(NAME)                                              \
    Test(failures, NAME)                                                  \
    {                                                                     \
        run_all(#NAME, NAME);                                             \
        run_table(#NAME, NAME, file_injections, LENGTH(file_injections)); \
    }

FILE_OPERATION(pmem_on_tmpfs)
FILE_OPERATION(pmem_on_disk)
FILE_OPERATION(fixed_area)
FILE_OPERATION(questions_about_files)

Test(failures, attach_threads)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer needs a pthread key for every thread itself");
    run_all("attach_threads", attach_threads);
}

OPERATION(calloc_after_purge)
OPERATION(ask)
OPERATION(statistics)

Test(failures, malloc_hugetlb)
{
    test_pool_set(2 * MIB, 16);
    run_all("malloc_hugetlb", malloc_hugetlb);
}

/* --- real limits: address space, mappings, keys --------------------------------------------------
 */

/* First uses with `room` bytes of address space left. */
static const char *with_little_space(size_t room)
{
    static const char *(*const operations[])(void) = {malloc_default, malloc_regular, malloc_hbw,
                                                      create_and_destroy, realloc_growth};
    struct rlimit limit, little;
    const char *wrong = NULL;

    EXPECT(getrlimit(RLIMIT_AS, &limit) == 0);
    little = limit;
    little.rlim_cur = address_space() + room;
    EXPECT(setrlimit(RLIMIT_AS, &little) == 0);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        wrong = operations[i]();
        if (wrong && wrong != REFUSED)
            return wrong;
    }
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        wrong = operations[i]();
        if (wrong)
            return wrong;
    }
    return NULL;
}

static struct outcome *limited(const char *(*body)(size_t), size_t argument, int *status)
{
    static struct outcome *outcome;
    pid_t process;

    if (!outcome)
        outcome = test_shared(sizeof *outcome);
    memset(outcome, 0, sizeof *outcome);
    process = fork();
    if (process == 0) {
        const char *wrong;

        alarm(CHILD_SECONDS);
        wrong = body(argument);
        if (wrong)
            SAY(outcome, "%s", wrong);
        _exit(0);
    }
    cr_assert_gt(process, 0);
    cr_assert_eq(waitpid(process, status, 0), process);
    return outcome;
}

Test(failures, little_address_space)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs address space");
    for (size_t room = 0; room <= 40 * MIB; room += 512 * KIB) {
        int status;
        struct outcome *outcome = limited(with_little_space, room, &status);

        cr_expect(!status && !outcome->wrong[0], "%zu KiB left: status %#x %s", room / KIB,
                  (unsigned)status, outcome->wrong);
    }
}

/* First use with `spare` mappings left of vm.max_map_count. */
static const char *with_few_mappings(size_t spare)
{
    static void *pages[200000];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), taken = 0;
    const char *wrong;

    /* Neighbours that differ in protection are two mappings. */
    while (taken < LENGTH(pages)) {
        void *at =
            mmap(NULL, page, taken % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (at == MAP_FAILED)
            break;
        pages[taken++] = at;
    }
    if (taken == LENGTH(pages))
        return NULL; /* no such limit here */
    for (size_t i = 0; i < 2 * spare && i < taken; i++)
        munmap(pages[--taken], page);
    wrong = malloc_regular();
    if (wrong && wrong != REFUSED)
        return wrong;
    while (taken)
        munmap(pages[--taken], page);
    return malloc_regular();
}

Test(failures, few_mappings)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs mappings");
    for (size_t spare = 0; spare <= 16; spare++) {
        int status;
        struct outcome *outcome = limited(with_few_mappings, spare, &status);

        cr_expect(!status && !outcome->wrong[0], "%zu mappings left: status %#x %s", spare,
                  (unsigned)status, outcome->wrong);
    }
}

/* All pthread keys but `spare` are taken. */
static const char *with_few_keys(size_t spare)
{
    pthread_key_t keys[PTHREAD_KEYS_MAX];
    size_t taken = 0;
    const char *wrong;

    while (taken < LENGTH(keys) && pthread_key_create(&keys[taken], NULL) == 0)
        taken++;
    for (size_t i = 0; i < spare; i++)
        pthread_key_delete(keys[--taken]);
    wrong = attach_threads();
    if (wrong && wrong != REFUSED)
        return wrong;
    while (taken)
        pthread_key_delete(keys[--taken]);
    return attach_threads();
}

Test(failures, few_keys)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer needs a pthread key for every thread itself");
    for (size_t spare = 0; spare <= 4; spare++) {
        int status;
        struct outcome *outcome = limited(with_few_keys, spare, &status);

        cr_expect(!status && !outcome->wrong[0], "%zu keys left: status %#x %s", spare,
                  (unsigned)status, outcome->wrong);
    }
}

/* No file can be opened: nothing is known about the machine's nodes. */
static const char *without_files(size_t unused)
{
    struct rlimit limit, none;
    const char *wrong;

    (void)unused;
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
    wrong = malloc_regular();
    if (wrong && wrong != REFUSED)
        return wrong;
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    wrong = malloc_regular();
    return wrong ? wrong : malloc_hbw();
}

Test(failures, no_files)
{
    int status;
    struct outcome *outcome = limited(without_files, 0, &status);

    cr_expect(!status && !outcome->wrong[0], "status %#x %s", (unsigned)status, outcome->wrong);
}

/* The calls are really caught: without that, this file shows nothing. */
Test(failures, calls_are_caught)
{
    static const struct injection everything = {"all", ~0u, ENOMEM};
    struct attempt attempt = {
        .operation = malloc_regular, .injection = &everything, .nth = 1, .stays = true};

    cr_expect_eq(attempt_once(&attempt), REFUSED);
    cr_expect_gt(failed, 0);
}
