# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""What the tests of profiles say, and go on after. A test ends with failed()."""

import os
import re
import subprocess

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


def same_options(tool):
    """The tool's manual page has the options of its --help, and in that order; as same_options of check.sh."""
    name = os.path.basename(tool)
    said = subprocess.run([tool, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    with open(os.path.join(os.path.dirname(__file__), f"../../man/{name}.1"), encoding="utf-8") as page:
        told = re.findall(r"^\.It Fl (.) , -([a-z-]+)", page.read(), re.MULTILINE)
    options = re.findall(r"^  -(.), --([a-z-]+)", said, re.MULTILINE)
    check(f"{name} has the options of its manual page", options and options == told, (options, told))


def failed():
    return bool(FAILURES)
