/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why and thread rules: see stack.h. One stack is kept for the next call, with the pages that were
 * touched; calls that meet map others. Below it is a page that faults.
 */
#include "kinds/system/stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

/* Sanitizers follow a thread's stack, and are confused by another. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACKS_CAN_CHANGE 0
#else
#define STACKS_CAN_CHANGE 1
#endif
#define STACK_SIZE ((size_t)1 << 20) /* of addresses; pages are there when they are touched */

struct run {
    void (*function)(void *argument);
    void *argument;
    ucontext_t here, there;
};

static void *_Atomic kept; /* a stack that nobody uses, or NULL */

/* makecontext(3) passes numbers of 32 bits only. */
static void enter(unsigned high, unsigned low)
{
    const struct run *run = (const struct run *)((uintptr_t)high << 32 | low); /* NOLINT */

    run->function(run->argument);
}

static void *stack_take(void)
{
    void *stack = atomic_exchange_explicit(&kept, NULL, memory_order_acquire);

    return stack ? stack : os_map_stack(STACK_SIZE);
}

static void stack_put(void *stack)
{
    stack = atomic_exchange_explicit(&kept, stack, memory_order_release);
    if (stack)
        leftover_unmap(stack, STACK_SIZE);
}

void stack_run(void (*function)(void *argument), void *argument)
{
    void *stack = STACKS_CAN_CHANGE ? stack_take() : NULL;
    struct run *run;

    if (!stack) {
        function(argument);
        return;
    }
    run = (struct run *)((char *)stack + os_page_size()); /* behind the page that faults */
    run->function = function;
    run->argument = argument;
    if (getcontext(&run->there)) {
        stack_put(stack);
        function(argument);
        return;
    }
    run->there.uc_link = &run->here;
    run->there.uc_stack.ss_sp = run + 1;
    run->there.uc_stack.ss_size = (size_t)((char *)stack + STACK_SIZE - (char *)(run + 1));
    makecontext(&run->there, (void (*)(void))enter, 2, (unsigned)((uintptr_t)run >> 32),
                (unsigned)(uintptr_t)run);
    swapcontext(&run->here, &run->there);
    stack_put(stack);
}
