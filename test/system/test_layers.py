#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""What includes what: nothing points up, nothing runs in a circle, system calls are the os files'.

Only #include lines are read. A module is NAME.c and NAME.h of one folder. The public headers are not looked
at for circles: memkind.h and memkind_deprecated.h are two halves of one.

usage: test_layers.py SOURCE_DIR
"""

import os
import re
import sys

SOURCE = sys.argv[1]

# What the files of a folder (or one file) may include beside their own folder: folders and files. The
# longest name that fits a file is its row. Public headers (include/) may be included everywhere.
MAY_INCLUDE = {
    "src/kinds/system": [],
    "src/kinds/machine": ["src/kinds/system"],
    "src/kinds/pages": ["src/kinds/machine", "src/kinds/system"],
    "src/heap_manager.h": ["src/kinds"],
    "src/backend_jemalloc": ["src/heap_manager.h", "src/kinds"],
    "src/backend_tbb": ["src/heap_manager.h", "src/kinds"],
    "src/check": ["src/heap_manager.h", "src/kinds"],
    "src/frontend": ["src/check/check.h", "src/heap_manager.h", "src/kinds"],
    # The hit of a thread's cache is inline in the allocation functions.
    "src/frontend/memkind.c": ["src/frontend", "src/check/check.h", "src/heap_manager.h", "src/kinds", "src/backend_jemalloc/fast.h"],
    "src/frontend/program.c": ["src/frontend", "src/check/check.h", "src/heap_manager.h", "src/kinds", "src/backend_jemalloc/fast.h"],
    "include": [],
    # Bandwidth is measured in the same way everywhere.
    "tools": ["src/frontend", "src/heap_manager.h", "src/kinds", "bench/stream.h"],
    # Where the kernel says that a block is.
    "tools/trial.c": ["tools", "src/kinds", "bench/stream.h", "examples/placement.h"],
    # Whole programs: a client of the public functions, which reads sizes and rules as memkind-run does.
    "preload": ["tools/rules.h", "tools/size.h"],
    "bench": [],
    "examples": [],
}

# Headers without system calls, for all of src/.
ANYWHERE = {
    "<ctype.h>", "<errno.h>", "<limits.h>", "<math.h>", "<pthread.h>", "<stdarg.h>", "<stdatomic.h>",
    "<stdbool.h>", "<stddef.h>", "<stdint.h>", "<stdio.h>", "<stdlib.h>", "<string.h>", "<sys/queue.h>",
    "<sys/types.h>", "<time.h>",
}  # fmt: skip

# Any other header is for the os files only, but for these: numbers that functions of os.h take (fcntl.h, mempolicy.h),
# an instruction, and libraries that are opened when they are needed.
ONLY_IN = {
    "<cpuid.h>": ["src/kinds/machine/cpu.c"],
    "<daxctl/libdaxctl.h>": ["src/kinds/machine/dax_library.c"],
    "<dlfcn.h>": ["src/kinds/machine/dax_library.c", "src/backend_tbb/library.c"],
    "<link.h>": ["src/backend_tbb/library.c"],
    "<ucontext.h>": ["src/kinds/system/stack.c"],
    "<execinfo.h>": ["src/check/trace.c"],
    "<fcntl.h>": ["src/kinds/pages/source_file.c", "src/kinds/pages/temp_file.c"],
    "<linux/mempolicy.h>": ["src/kinds/machine/page_kind.c", "src/kinds/pages/pool.c"],
}
SYSTEM_CALLS = {f"src/kinds/system/os_{part}.c" for part in ("files", "memory", "process")}

failures = 0


def fail(message):
    global failures
    failures += 1
    print(f"FAILED: {message}")


def sources():
    """Files of C and C++, relative to the root."""
    for top in ("src", "include", "preload", "tools", "bench", "examples"):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in names:
                if name.endswith((".c", ".h", ".cpp")):
                    yield os.path.relpath(os.path.join(folder, name), SOURCE)


def includes(file):
    with open(os.path.join(SOURCE, file), encoding="utf-8") as text:
        return re.findall(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")', text.read(), re.MULTILINE)


def resolve(file, name):
    """The file of this project that file means by "name" or <name>; None: it is another project's."""
    for folder in (os.path.dirname(file), "src", "include"):
        path = os.path.normpath(os.path.join(folder, name[1:-1]))
        # A header that the build makes has a template, NAME.h.in, where it would be.
        if any(os.path.exists(os.path.join(SOURCE, path + suffix)) for suffix in ("", ".in")):
            return path
    return None


def is_in(file, place):
    return file == place or file.startswith(place + "/")


def row_of(file):
    places = [place for place in MAY_INCLUDE if is_in(file, place)]
    return max(places, key=len, default=None)


def check_own(file, target):
    """An include of this project's."""
    row = row_of(file)
    if row is None:
        fail(f"{file} is in no folder that has a row in MAY_INCLUDE")
    elif not any(is_in(target, place) for place in [row, "include", *MAY_INCLUDE[row]]):
        fail(f"{file} includes {target}, which is not below it")


def check_foreign(file, name):
    """An include of the system's, or of a library's."""
    if not file.startswith("src/") or name in ANYWHERE or file in SYSTEM_CALLS:
        return
    if name.startswith('"jemalloc/internal/') and file.startswith("src/backend_jemalloc/"):
        return
    if file not in ONLY_IN.get(name, []):
        fail(f"{file} includes {name}: system calls are for src/kinds/system/os_*.c")


def circles(edges):
    """Sets of modules that reach each other (Tarjan), as sorted tuples."""
    index, low, stack, found = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(edges.get(module, ())):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            at = stack.index(module)
            if len(stack) - at > 1:
                found.append(tuple(sorted(stack[at:])))
            del stack[at:]

    for module in sorted(edges):
        if module not in index:
            visit(module)
    return found


def main():
    edges = {}
    count = 0
    for file in sorted(sources()):
        module = os.path.splitext(file)[0]
        for name in includes(file):
            target = resolve(file, name)
            count += 1
            if target is None:
                check_foreign(file, name)
                continue
            check_own(file, target)
            other = os.path.splitext(target)[0]
            if other != module and not other.startswith("include/"):
                edges.setdefault(module, set()).add(other)
    if not count:
        fail(f"no include was found in {SOURCE}")
    found = set(circles(edges))
    for circle in sorted(found):
        fail(f"a circle of {', '.join(circle)}")
    print(f"{count} includes, {len(found)} circles, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
