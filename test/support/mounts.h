/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * mounts: file systems of several sorts, and blocks to fill them with, for tests of PMEM kinds.
 *
 * A test mounts what it needs in a mount namespace of its own: nothing outlives its process.
 */
#pragma once

#include "support.h"

struct file_system {
    const char *name;
    const char *make; /* command that writes it into an image file; NULL: it needs none */
    size_t size;      /* bytes of the image, or of tmpfs */
    bool reserves;    /* has fallocate(2) */
    bool punches;     /* gives back parts of files */
    bool ends;        /* it can be full */
};

extern const struct file_system mounts_tmpfs, mounts_ext4, mounts_xfs, mounts_ext2, mounts_ramfs;

/* For TestSuite(.init =, .fini =): a directory, empty until something is mounted there. */
extern char mounts_directory[64];
void mounts_begin(void);
void mounts_end(void);

/* Mounts it there, `size` bytes large (0: its usual size). Skips the test where that is not
 * permitted. */
void mounts_mount(const struct file_system *system, size_t size);

/* Fails if something on it is still open. */
void mounts_unmount(void);

bool mounts_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes in use on the file system. */
size_t mounts_used(void);

/* The same, but file systems free in the background: polled, up to a deadline. */
bool mounts_used_falls_to(size_t most);

/* --- kinds and blocks in it ------------------------------------------------------------------- */

memkind_t mounts_create(size_t limit);
memkind_t mounts_create_conservative(size_t limit);

#define MOUNTS_MOST 1200000

struct mounts_block {
    unsigned char *at;
    size_t size;
};

/* Each has its own index as seed of its content. */
extern struct mounts_block mounts_blocks[MOUNTS_MOST];
extern size_t mounts_count;

/* Takes blocks of random sizes until there are no more, or enough; all are written. The sum of
 * their sizes, or of their usable sizes. */
size_t mounts_take(memkind_t kind, size_t least, size_t most, size_t enough, bool usable);

void mounts_verify(void);

/* Verifies and frees them all. */
void mounts_free(memkind_t kind);
