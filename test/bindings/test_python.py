# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""The Python module memkind: numpy's arrays in kinds. PYTHONPATH has the module."""

import asyncio
import gc
import tempfile
import threading
import unittest

import memkind
import numpy

MIB = 1 << 20


class Arrays(unittest.TestCase):
    def setUp(self):
        self.kind = memkind.nodes("all")

    def test_arrays_of_the_block_are_in_the_kind(self):
        before = numpy.zeros(1000)
        with memkind.use(self.kind) as kind:
            self.assertIs(kind, self.kind)
            arrays = [numpy.empty(1000), numpy.zeros((10, 100)), numpy.arange(1000) + 1]
            arrays.append(arrays[0].copy())
            arrays[1].resize((1000, 100), refcheck=False)
        after = numpy.zeros(1000)
        for array in arrays:
            self.assertIs(memkind.kind_of(array), self.kind)
        self.assertIs(memkind.kind_of(arrays[2][10:20]), self.kind)
        self.assertIsNone(memkind.kind_of(before))
        self.assertIsNone(memkind.kind_of(after))
        self.assertEqual(arrays[2].sum(), 500500)
        self.assertEqual(arrays[1].sum(), 0)

    def test_statistics_and_counts(self):
        with memkind.use(self.kind):
            array = numpy.ones(MIB // 8)
        self.assertGreaterEqual(self.kind.statistics()["allocated"], MIB)
        self.assertGreaterEqual(self.kind.statistics()["resident"], MIB)
        del array
        self.assertEqual(self.kind.statistics()["allocated"], 0)
        counts = self.kind.arrays
        self.assertGreaterEqual(counts["allocated"], 1)
        self.assertEqual(counts["allocated"], counts["freed"])
        self.assertEqual(counts["refused"], 0)
        self.assertGreaterEqual(self.kind.trim(), 0)

    def test_a_limit_is_a_memory_error(self):
        self.kind.set_limit(32 * MIB)
        with memkind.use(self.kind):
            with self.assertRaises(MemoryError):
                numpy.empty(64 * MIB, dtype=numpy.int8)
        counts = self.kind.arrays
        self.assertEqual(counts["refused"], 1)
        self.assertEqual(counts["allocated"], counts["freed"])

    def test_blocks_within_blocks(self):
        other = memkind.nodes("all")
        with memkind.use(self.kind):
            with memkind.use(other):
                inner = numpy.zeros(10)
            outer = numpy.zeros(10)
        self.assertIs(memkind.kind_of(inner), other)
        self.assertIs(memkind.kind_of(outer), self.kind)

    def test_an_exception_ends_the_block(self):
        with self.assertRaises(ZeroDivisionError):
            with memkind.use(self.kind):
                1 // 0
        self.assertIsNone(memkind.kind_of(numpy.zeros(10)))

    def test_one_use_at_a_time(self):
        use = memkind.use(self.kind)
        with self.assertRaises(RuntimeError):
            use.__exit__(None, None, None)
        with use:
            with self.assertRaises(RuntimeError):
                use.__enter__()
        with use:
            self.assertIs(memkind.kind_of(numpy.zeros(10)), self.kind)

    def test_threads_and_tasks_have_their_own(self):
        found = []
        with memkind.use(self.kind):
            thread = threading.Thread(target=lambda: found.append(memkind.kind_of(numpy.zeros(10))))
            thread.start()
            thread.join()

        async def task(kind):
            with memkind.use(kind):
                await asyncio.sleep(0)
                found.append(memkind.kind_of(numpy.zeros(10)))

        async def both():
            await asyncio.gather(task(self.kind), task(memkind.REGULAR))

        asyncio.run(both())
        self.assertEqual(found, [None, self.kind, memkind.REGULAR])

    def test_another_thread_frees(self):
        with memkind.use(self.kind):
            arrays = [numpy.zeros(100) for _ in range(100)]
        thread = threading.Thread(target=arrays.clear)
        thread.start()
        thread.join()
        self.assertEqual(self.kind.statistics()["allocated"], 0)


class Kinds(unittest.TestCase):
    def test_a_created_kind_lives_as_long_as_its_arrays(self):
        with memkind.use(memkind.nodes("all", policy=memkind.INTERLEAVE_ALL)):
            array = numpy.arange(100000)
        gc.collect()
        self.assertIsNotNone(memkind.kind_of(array))
        self.assertEqual(array.sum(), 4999950000)

    def test_kinds_end(self):
        for _ in range(600):  # more than there can be at a time
            with memkind.use(memkind.nodes("all")):
                numpy.zeros(10)

    def test_pmem(self):
        with tempfile.TemporaryDirectory() as directory:
            kind = memkind.pmem(directory, limit=32 * MIB)
            with memkind.use(kind):
                array = numpy.full(1000, 7)
            self.assertIs(memkind.kind_of(array), kind)

    def test_errors(self):
        with self.assertRaises(memkind.Error) as caught:
            memkind.pmem("/no/such/directory")
        self.assertLess(caught.exception.errno, 0)
        self.assertTrue(caught.exception.strerror)
        with self.assertRaises(memkind.Error):
            memkind.nodes("no nodes")
        with self.assertRaises(memkind.Error):
            memkind.nodes("all").set_limit(2**64 - 1)
        with self.assertRaises(TypeError):
            memkind.use("HBW")
        with self.assertRaises(TypeError):
            memkind.kind_of([1])
        with self.assertRaises(TypeError):
            memkind.Kind()

    def test_static_kinds_and_info(self):
        self.assertTrue(memkind.DEFAULT.available)
        memkind.DEFAULT.check()
        info = memkind.info()
        self.assertEqual(info["version"][0], 1)
        self.assertIsNone(info["kinds"]["REGULAR"])
        for name, reason in info["kinds"].items():
            kind = getattr(memkind, name)
            self.assertEqual(repr(kind), f"memkind.{name}")
            self.assertEqual(kind.available, reason is None)
            if reason:
                self.assertRaisesRegex(memkind.Error, reason, kind.check)


if __name__ == "__main__":
    unittest.main()
