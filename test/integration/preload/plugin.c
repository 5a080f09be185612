/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * plugin: a program without a C++ runtime that opens one, and a library that needs it, for itself
 * alone (RTLD_LOCAL), as interpreters open their modules. The library fails to get memory, and has
 * to be told by std::bad_alloc. Prints "well".
 *
 * usage: plugin LIBRARY
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*catches)(void) = library ? (int (*)(void))dlsym(library, "catches") : NULL;

    if (!catches || !catches()) {
        fprintf(stderr, "plugin: %s\n", catches ? "nothing was caught" : dlerror());
        return 1;
    }
    dlclose(library);
    puts("well");
    return 0;
}
