/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* arguments: what people write for a kind, the same for every tool. Any thread. */
#pragma once

/* The number of a static kind: with or without the prefix, in small letters or capitals. -1: there
 * is none of this name. */
int argument_kind(const char *name);
