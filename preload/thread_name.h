/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * thread_name: whether the calling thread has the name that a rule asks for.
 *
 * The kernel's name of the thread is read when a rule asks for the 1st, 2nd, 4th, 8th ... time in
 * that thread: most are named right after they begin, by themselves or by who made them.
 *
 * Threads: any, each for itself.
 */
#pragma once

#include <stdbool.h>

/* A number of plan_rules()->threads. */
bool thread_name_is(unsigned number);
