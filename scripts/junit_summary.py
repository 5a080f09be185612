#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""What the tests of a ctest run gave, one line each: STATUS, PRESET, NAME and REASON, with tabs between them.

STATUS is pass, fail or skip. A Criterion program counts as the tests in it, any other program as one. A test
that began and did not end has failed, and so has one during which a sanitizer reported something, whatever
else is said of it; a failed program has at least one line that says so.

usage: junit_summary.py PRESET FILE      FILE: of `ctest --output-junit`, with the output in full
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: (Address|Leak|Thread)Sanitizer|runtime error: ")
ASSERTION = re.compile(r"\[----\] (.*)$")  # what a failed assertion says, on a few lines before [FAIL]
CRITERION = re.compile(r"\[(RUN |PASS|FAIL|SKIP)\] ([^ ]+?):?(?: (.*))?$")
REASON_MOST = 600
# What Criterion says of tests that the program's --filter leaves out: test/support/functions.cmake. They count no
# more than programs that a build does not have. It says the same of those with `.disabled`, so there are none: a test
# that cannot run here calls test_skip(), with the reason.
LEFT_OUT = "Test is disabled"


def reason_of_report(line):
    """A report names itself and the process: the same one twice is one reason."""
    return re.sub(r" \(pid=\d+\)", "", re.sub(r".*(WARNING|ERROR): ", "", line))


def tests_of_output(program, output):
    """(status, reason) of each test that a program's output tells of, by name."""
    tests = {}
    reports = {}
    said = {}
    current = program
    asserted = []
    for line in output.splitlines():
        criterion = CRITERION.match(line)
        assertion = ASSERTION.match(line)
        if assertion:
            asserted.append(assertion.group(1))
        if REPORT.search(line):
            reports.setdefault(current, reason_of_report(line))
        elif criterion:
            status, name, reason = criterion.groups(default="")
            if status == "RUN ":
                asserted = []
                current = name
                tests[name] = ("fail", "did not end")
            elif status == "FAIL":
                said_there = "" if reason.startswith("(") else reason
                tests[name] = ("fail", " ".join([said_there, *asserted])[:REASON_MOST])
            elif status == "SKIP" and reason == LEFT_OUT:
                tests.pop(name, None)
            elif status == "SKIP":
                tests[name] = ("skip", reason)
            elif tests.get(name, ("", "did not end"))[1] == "did not end":
                tests[name] = ("pass", "")
        elif line.startswith("SKIP: "):
            name, _, reason = line.removeprefix("SKIP: ").partition(": ")
            said[name.replace("/", "::")] = reason
    for name, reason in reports.items():
        tests[name] = ("fail", reason)
    # A line SKIP: names the test in full or by the end of its name. A failed test remains a failed one.
    for name, reason in said.items():
        same = next((test for test in tests if test == name or test.endswith("::" + name)), None)
        if same is None or tests[same][0] != "fail":
            tests.pop(same, None)
            tests[name] = ("skip", reason)
    return tests


def tests_of_program(case):
    """(status, name, reason) of each test of one <testcase>."""
    program = case.get("name")
    tests = tests_of_output(program, case.findtext("system-out", ""))
    if case.get("status") == "run":
        if not tests:
            tests[program] = ("pass", "")
    elif not any(status == "fail" for status, _ in tests.values()):
        about = case.find("failure")
        if about is None:
            about = case.find("skipped")
        message = about.get("message", "") if about is not None else ""
        output = case.findtext("system-out", "")
        first = next((line for line in output.splitlines() if "FAILED" in line), "")
        tests[program] = ("fail", (first or message or "failed, or took too long")[:REASON_MOST])
    for name, (status, reason) in tests.items():
        if name != program and not name.startswith(program + "::"):
            name = f"{program}: {name}"
        yield status, name, reason


def main():
    preset, path = sys.argv[1:]
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        for status, name, reason in tests_of_program(case):
            print(status, preset, name, " ".join(reason.split()), sep="\t")


if __name__ == "__main__":
    main()
