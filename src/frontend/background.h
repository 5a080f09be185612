/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * background: the library's own thread, which gives unused memory back where nobody else does.
 *
 * Whoever allocates or frees does a little of that work. A process whose threads sleep does not, so
 * it may ask for a thread that does (memkind_set_bg_threads(), MEMKIND_BACKGROUND_THREADS). It is
 * one for both heap managers: work() gives back a step and says whether there is more to do now.
 * Else the thread sleeps for a second.
 *
 * fork(2) takes no thread along. In the child it is started anew by the first thread that comes to
 * background_resume(): the child of a fork may be about to exec(3).
 *
 * Threads: any. The lock is held for moments, and not where a thread is made: that may call malloc,
 * which may be ours. It comes after the first use's; fork takes it there.
 */
#pragma once

#include <stdbool.h>

/* The thread runs from now on, or has ended. 0, or MEMKIND_ERROR_OPERATION_FAILED. */
int background_set(bool on, bool (*work)(void));

/* The thread is to be started by background_resume(). Called under the first-use lock. */
void background_want(bool (*work)(void));

/* Starts the thread if it is to run and does not. Called with no lock of the library's, and with a
 * guard. */
void background_resume(void);

void background_prefork(void);
void background_postfork(bool child);
