/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Criterion under ThreadSanitizer.
 *
 * Criterion's sandbox shares one mapping with its child processes, at an address that it draws with
 * rand_r() from 0x200000000000..0x600000000000. On x86-64 ThreadSanitizer keeps nearly all of that
 * range for itself, and Criterion gives up after a few tries. A program's rand_r() comes before
 * libc's, so this one lets it draw from the part that ThreadSanitizer leaves to programs and that a
 * position-independent executable and its heap do not reach: 0x566000000000..0x568000000000, in
 * Criterion's unit of 16 MiB.
 */
#include <stdlib.h>

#ifdef __x86_64__
__attribute__((visibility("default"))) int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return 0x366000 + (int)(*seed >> 16 & 0x1fff);
}
#endif
