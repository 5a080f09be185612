/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* family: what the operators of C++ share with the functions of C. Any thread. */
#pragma once

#include <stddef.h>

/* A block at a multiple of the alignment, which is a power of two. NULL with ENOMEM. */
void *family_aligned(size_t alignment, size_t size);
