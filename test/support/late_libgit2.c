/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * What Criterion calls of libgit2, which is loaded when two texts differ and not before: see
 * CMakeLists.txt.
 */
#include <dlfcn.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

/* The callbacks and options are passed on as they are. */
typedef int (*diff_function)(const void *, size_t, const char *, const void *, size_t, const char *,
                             const void *, void *, void *, void *, void *, void *);

EXPORT int git_libgit2_init(void);
EXPORT int git_libgit2_shutdown(void);
EXPORT int git_diff_buffers(const void *old, size_t old_size, const char *old_name, const void *new,
                            size_t new_size, const char *new_name, const void *options, void *file,
                            void *binary, void *hunk, void *line, void *argument);

int git_libgit2_init(void)
{
    return 1; /* how often it was called */
}

int git_libgit2_shutdown(void)
{
    return 0;
}

int git_diff_buffers(const void *old, size_t old_size, const char *old_name, const void *new,
                     size_t new_size, const char *new_name, const void *options, void *file,
                     void *binary, void *hunk, void *line, void *argument)
{
    void *library = dlopen(LIBGIT2, RTLD_NOW | RTLD_LOCAL);
    int (*init)(void);
    diff_function diff;

    if (!library)
        return -1;
    *(void **)&init = dlsym(library, "git_libgit2_init");
    *(void **)&diff = dlsym(library, "git_diff_buffers");
    if (!init || !diff || init() < 0)
        return -1;
    return diff(old, old_size, old_name, new, new_size, new_name, options, file, binary, hunk, line,
                argument);
}
