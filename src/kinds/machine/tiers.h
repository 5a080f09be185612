/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * tiers: the kernel's own order of memories by speed, /sys/devices/virtual/memory_tiering (Linux
 * 6.1). It is shown to people and decides nothing: a tier says "slower than", not by how much.
 * A fact (facts.h), read when a tool first asks; any thread.
 */
#pragma once

/* The tier of a node: the smaller, the faster; -1: the kernel does not say. */
int tiers_of(unsigned node);
