/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* family: what the operators of C++ share with the functions of C. Any thread. */
#pragma once

#include <stddef.h>

/* A block; NULL with ENOMEM. The caller is the address that the program's call returns to. */
void *family_alloc(size_t size, const void *caller);

/* At a multiple of the alignment, which is a power of two. */
void *family_aligned(size_t alignment, size_t size, const void *caller);
