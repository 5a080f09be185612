# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""An array in high-bandwidth memory, or in ordinary memory where there is none."""

import memkind
import numpy

kind = memkind.HBW
try:
    kind.check()
except memkind.Error as error:
    print("no high-bandwidth memory here:", error.strerror)
    kind = memkind.REGULAR
with memkind.use(kind):
    numbers = numpy.full(1_000_000, 0.5)
print("sum:", numbers.sum())
print("in the kind:", memkind.kind_of(numbers) is kind)
print("allocated:", kind.statistics()["allocated"] >= numbers.nbytes)
