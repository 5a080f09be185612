/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* export: marks a definition as part of the public API (see cmake/memkind.map for the list). */
#pragma once

#define EXPORT __attribute__((visibility("default")))
