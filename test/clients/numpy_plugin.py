# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""A plugin of pytest: numpy's tests with all arrays in a kind's memory (bindings/python). scripts/clients loads it.

It ends the run with a line of how many blocks that were; none, or one that is of another kind, fails the run.
"""

import memkind
import numpy
import pytest

HANDLER = "memkind"


def pytest_configure():
    memkind.use(memkind.HBW).__enter__()  # for good
    assert numpy.core.multiarray.get_handler_name(numpy.arange(1000)) == HANDLER


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    counts = memkind.HBW.arrays
    still = numpy.core.multiarray.get_handler_name()
    if counts["misplaced"] or counts["allocated"] < session.testscollected or still != HANDLER:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter):
    counts = memkind.HBW.arrays
    terminalreporter.write_line(
        "memkind: {allocated} blocks, {freed} of them freed, {refused} refused, {misplaced} of another kind".format(
            **counts
        )
    )
