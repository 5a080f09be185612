# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""What the tests of profiles say, and go on after. A test ends with failed()."""

FAILURES = []


def check(what, holds, found=""):
    if holds:
        print(f"ok: {what}")
    else:
        FAILURES.append(what)
        print(f"FAILED: {what}: {found}")


def near(what, expected, found, part=0.1):
    """Estimates are right to one part in ten where many blocks were sampled."""
    check(f"{what}: {expected}", abs(found - expected) <= expected * part, found)


def failed():
    return bool(FAILURES)
