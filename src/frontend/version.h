/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* version: this library's own version, the same as in the top CMakeLists.txt (which checks it). */
#pragma once

#define MEMKIND_VERSION_NUMBER 1015000 /* major * 1000000 + minor * 1000 + patch */
#define MEMKIND_VERSION_TEXT "1.15.0"
