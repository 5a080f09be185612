/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stack: a stack of our own, for what is rare and needs much.
 *
 * A thread may have a stack of 16 KiB (PTHREAD_STACK_MIN), of which its own data takes a part.
 * jemalloc's start alone has frames of 11 KiB, the dynamic loader, libdaxctl and files of /sys are
 * not much better. So what happens once in a process or once for a kind, and what the program asks
 * for to be printed, runs on a stack that is mapped for it. Allocation itself does with little.
 *
 * Threads: any. The thread cannot be cancelled meanwhile (guard.h); it may be interrupted.
 */
#pragma once

/* Calls function(argument), on the thread's own stack where no other is to be had. */
void stack_run(void (*function)(void *argument), void *argument);
