# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""A plugin of pytest: numpy's tests with all arrays in a kind's memory (memkind_numpy.c). scripts/clients loads it.

It ends the run with a line of how many blocks that were; none, or one that is of another kind, fails the run.
"""

import memkind_numpy
import numpy
import pytest

HANDLER = "memkind"


def pytest_configure():
    memkind_numpy.install()
    assert numpy.core.multiarray.get_handler_name(numpy.arange(1000)) == HANDLER


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    allocated, _, _, misplaced = memkind_numpy.counts()
    still = numpy.core.multiarray.get_handler_name()
    if misplaced or allocated < session.testscollected or still != HANDLER:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter):
    allocated, freed, refused, misplaced = memkind_numpy.counts()
    terminalreporter.write_line(
        f"memkind: {allocated} blocks, {freed} of them freed, {refused} refused, {misplaced} of another kind"
    )
