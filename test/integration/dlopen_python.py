#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""The library as a plugin of a program that knows nothing of C (see test_dlopen.c): it is opened by
Python's ctypes, used in the main thread and in others, closed while threads still run, opened again.

usage: dlopen_python.py LIBRARY
"""
import ctypes
import gc
import os
import subprocess
import sys
import threading

LIBRARY = sys.argv[1]


class Memkind:
    """The functions and kinds of an opened library."""

    def __init__(self):
        self.library = ctypes.CDLL(LIBRARY)
        pointer = ctypes.c_void_p
        for name, result, arguments in [
            ("memkind_malloc", pointer, [pointer, ctypes.c_size_t]),
            ("memkind_calloc", pointer, [pointer, ctypes.c_size_t, ctypes.c_size_t]),
            ("memkind_realloc", pointer, [pointer, pointer, ctypes.c_size_t]),
            ("memkind_free", None, [pointer, pointer]),
            ("memkind_detect_kind", pointer, [pointer]),
            ("memkind_malloc_usable_size", ctypes.c_size_t, [pointer, pointer]),
            ("memkind_get_version", ctypes.c_int, []),
        ]:
            function = getattr(self.library, name)
            function.restype = result
            function.argtypes = arguments
        self.kinds = [
            ctypes.c_void_p.in_dll(self.library, name).value
            for name in ("MEMKIND_DEFAULT", "MEMKIND_REGULAR", "MEMKIND_HBW_PREFERRED")
        ]

    def close(self):
        """What ctypes itself never does."""
        import _ctypes

        handle = self.library._handle
        self.library = None
        gc.collect()
        _ctypes.dlclose(handle)


def use(memkind):
    library = memkind.library
    assert library.memkind_get_version() >= 1015000
    for kind in memkind.kinds:
        for size in (1, 100, 5000, 70000, 3000000):
            block = library.memkind_malloc(kind, size)
            assert block, size
            assert library.memkind_malloc_usable_size(kind, block) >= size
            ctypes.memset(block, 0x5A, size)
            assert library.memkind_detect_kind(block) == kind
            block = library.memkind_realloc(kind, block, size * 2)
            assert ctypes.string_at(block, size) == b"\x5a" * size
            library.memkind_free(None, block)
        block = library.memkind_calloc(kind, 10, 10)
        assert ctypes.string_at(block, 100) == bytes(100)
        library.memkind_free(kind, block)


class Thread(threading.Thread):
    """A thread whose failure is not lost."""

    def __init__(self, body, *arguments):
        super().__init__()
        self.body, self.arguments, self.failure = body, arguments, None

    def run(self):
        try:
            self.body(*self.arguments)
        except BaseException as failure:  # pylint: disable=broad-except
            self.failure = failure

    def finish(self):
        self.join()
        if self.failure:
            raise self.failure


def in_threads(count, body, *arguments):
    threads = [Thread(body, *arguments) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.finish()


def main_and_threads():
    memkind = Memkind()
    use(memkind)
    in_threads(8, use, memkind)


def opened_in_a_thread():
    opened = []
    in_threads(1, lambda: (opened.append(Memkind()), use(opened[0])))
    use(opened[0])


def closed_while_threads_run():
    memkind, used, closed = Memkind(), threading.Barrier(5), threading.Event()

    def body():
        use(memkind)
        used.wait()
        closed.wait()

    threads = [Thread(body) for _ in range(4)]
    for thread in threads:
        thread.start()
    used.wait()
    memkind.close()
    closed.set()
    for thread in threads:
        thread.finish()


def many_cycles():
    for _ in range(50):
        memkind = Memkind()
        use(memkind)
        memkind.close()


def block_survives_garbage_collection():
    memkind = Memkind()
    block = memkind.library.memkind_malloc(memkind.kinds[1], 1000)
    ctypes.memset(block, 0x33, 1000)
    del memkind
    gc.collect()
    assert ctypes.string_at(block, 1000) == b"\x33" * 1000
    again = Memkind()
    assert again.library.memkind_detect_kind(block) == again.kinds[1]
    again.library.memkind_free(None, block)


def forked_child():
    memkind = Memkind()
    use(memkind)
    child = os.fork()
    if child == 0:
        try:
            use(memkind)
            in_threads(2, use, memkind)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


TESTS = [
    main_and_threads,
    opened_in_a_thread,
    closed_while_threads_run,
    many_cycles,
    block_survives_garbage_collection,
    forked_child,
]


def main():
    if len(sys.argv) == 3:  # one test, in a process of its own
        next(test for test in TESTS if test.__name__ == sys.argv[2])()
        return 0
    environment = dict(os.environ, MEMKIND_HBW_NODES="0")
    failed = 0
    for test in TESTS:
        for tunables in ("", "glibc.rtld.optional_static_tls=0"):
            result = subprocess.run(
                [sys.executable, __file__, LIBRARY, test.__name__],
                env=dict(environment, GLIBC_TUNABLES=tunables),
                timeout=200,
                check=False,
            ).returncode
            print("ok:" if result == 0 else f"FAILED ({result}):", test.__name__, tunables)
            failed += result != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
