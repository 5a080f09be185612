#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""memkind-advise: which call sites it places, what it says of the others, and what it refuses; and the whole way of a
program with ten arrays, three of them hot: profile, advise, run, report.

usage: test_advise.py TOOLS_FOLDER PROGRAM [sanitized]
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read only
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
from profile_check import check, failed, same_options

TOOLS, PROGRAM = (os.path.realpath(path) for path in sys.argv[1:3])
MIB = 1 << 20


def run(tool, *arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMKIND_")}
    return subprocess.run(
        [os.path.join(TOOLS, tool), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def capture(name, sites, method="samples", program="/nowhere/program"):
    """A capture with a site for each (offset or None, MiB at most, MiB of the largest block, accesses)."""
    with open(name, "w", encoding="utf-8") as stream:
        print(f"memkind-profile 1\nprogram={program}\nprocess=1\nrate=524288", file=stream)
        print(f"started=1\nclock=1\nduration=1000\nmethod={method}\nrounds=1\npeak=1\nlost=0", file=stream)
        print(f"module 0 base=0x1000 end=0x9000 path={program}", file=stream)
        for number, (offset, peak, largest, accesses) in enumerate(sites, 1):
            stack = "?+0x77" if offset is None else f"0+0x{offset:x},0+0x{number:x}"
            print(
                f"site {number} kind=DEFAULT samples=100 calls=100 bytes={peak * MIB} live-calls=1 live={peak * MIB}"
                f" peak={peak * MIB} at-peak={peak * MIB} size-least=1 size-most={int(largest * MIB)} freed=0"
                f" lifetime-least=0 lifetime-most=0 lifetime-mean=0 accesses={accesses} sizes=20:1 lifetimes= stack={stack}",
                file=stream,
            )
        live = ",".join(f"{number}:{site[1] * MIB}" for number, site in enumerate(sites, 1))
        print(f"point time=10 live={live}\nend", file=stream)


def rules(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def check_choice():
    """Most accesses per byte first: not most accesses, and not the smallest."""
    sites = [(0x100, 10, 10, 1000), (0x200, 1, 1, 500), (0x300, 2, 2, 10), (0x400, 1, 1, 0), (None, 1, 1, 900)]
    capture("five", sites)
    said = run("memkind-advise", "--budget", "HBW=12M", "five")
    check("the densest first", rules(said.stdout) == ["site program+0x200 -> HBW", "site program+0x100 -> HBW"], said)
    # 500 and 1000 of 2410.
    check("the share that is served", "Expected share that is served: 62.2 %." in said.stdout, said)
    check("the budget", "# HBW: 11.0 of 12.0 MiB." in said.stdout, said)
    check("what has no room", "no room for: 1, 2.0 MiB, 0.4 % of accesses;" in said.stdout, said)
    check("what no rule can name", "which no rule can name: 1, 1.0 MiB, 37.3 % of accesses;" in said.stdout, said)
    said = run("memkind-advise", "-b", "hbw=3M", "-b", "memkind_regular=10M", "five")
    check(
        "a second budget",
        rules(said.stdout)
        == ["site program+0x200 -> HBW", "site program+0x100 -> REGULAR", "site program+0x300 -> HBW"],
        said,
    )
    said = run("memkind-advise", "-b", "HBW=5M", "five")
    check("one block that is too large", rules(said.stdout) == ["site program+0x200 -> HBW", "site program+0x300 -> HBW"], said)


def check_groups():
    """Two stacks that a rule cannot tell apart are one site, with the bytes of both; many blocks may be divided."""
    capture("two", [(0x100, 3, 0.5, 30), (0x100, 3, 0.5, 30), (0x200, 1, 1, 15)])
    said = run("memkind-advise", "-b", "HBW=7M", "two")
    check("one rule for a caller", rules(said.stdout) == ["site program+0x200 -> HBW", "site program+0x100 -> HBW"], said)
    check("two stacks are told", "cannot tell apart: 1, 6.0 MiB, 80.0 % of accesses;" in said.stdout, said)
    said = run("memkind-advise", "-b", "HBW=4M", "two")
    check(
        "a part",
        rules(said.stdout) == ["site program+0x200 -> HBW", f"site program+0x100 -> HBW limit {3 * MIB}"],
        said,
    )
    check("the share of a part", "Expected share that is served: 60.0 %." in said.stdout, said)
    capture("small", [(0x100, 3, 0.01, 0), (0x200, 1, 1, 5)], "written-pages:soft-dirty")
    said = run("memkind-advise", "-b", "HBW=4M", "small")
    check("what is not seen is told", "blocks below 64 KiB only, whose use is not seen: 1, 3.0 MiB" in said.stdout, said)
    check("reads are not seen", "# reads are not seen" in said.stdout, said)
    capture("regions", [(0x100, 3, 0.01, 0), (0x200, 1, 1, 5)], "regions:DAMON")
    said = run("memkind-advise", "-b", "HBW=4M", "regions")
    check("regions are none of blocks", "# accesses are those of regions" in said.stdout and "reads" not in said.stdout, said)


def check_names():
    """Whatever a module is called, the rules are such that memkind-run takes them."""
    for name, word in (
        ("a program", '"a program+0x100"'),
        ("#1", '"#1+0x100"'),
        ("a+0x7", "a+0x7+0x100"),
        ("->", "->+0x100"),
        ('a"b', None),
        ("a\tb", None),
        ("a\rany -> REGULAR", None),
    ):
        capture("named", [(0x100, 1, 1, 5)], program="/nowhere/" + name)
        said = run("memkind-advise", "-b", "HBW=4M", "-o", "named.rules", "named")
        with open("named.rules", encoding="utf-8", newline="") as stream:
            text = stream.read()
        check(f"a module {name!r}", rules(text) == ([f"site {word} -> HBW"] if word else []), text)
        check(f"what cannot be named, {name!r}", ("no rule can name: 1," in text) == (word is None), text)
        said = run("memkind-run", "--check-rules", "named.rules", MEMKIND_HBW_NODES="0")
        check(f"the rules of {name!r} are accepted", said.returncode == 0, said)


def check_refusals():
    capture("idle", [(0x100, 3, 1, 0)], "none")
    with open("idle", encoding="utf-8") as stream, open("methodless", "w", encoding="utf-8") as copy:
        copy.writelines(line for line in stream if not line.startswith("method="))
    for arguments, reason in (
        (("five",), "--budget is missing"),
        (("--budgets", "HBW=1G", "five"), "memkind-advise: --help tells the options"),
        (("-b", "HBW=1G") * 9 + ("five",), "--budget: there are 8 at most"),
        (("-b", "HBW", "five"), "KIND=SIZE, not HBW"),
        (("-b", "FAST=1G", "five"), "no static kind has this name: FAST"),
        (("-b", "HBW=many", "five"), "this is no size: many"),
        (("-b", "HBW=1G"), "one capture is to be named"),
        (("-b", "HBW=1G", "missing"), "missing"),
        (("-b", "HBW=1G", "methodless"), "methodless: it has no end: it is not complete"),
        (("-b", "HBW=1G", "idle"), "idle has no accesses (method none)"),
        (("-b", "HBW=1G", "-o", "no/folder", "five"), "no/folder: No such file or directory"),
    ):
        said = run("memkind-advise", *arguments)
        check(f"refused: {arguments}", said.returncode == 1 and reason in said.stderr and not said.stdout, said)
    first, last = (run("memkind-advise", *arguments) for arguments in (("-b", "HBW=1G", "five"), ("five", "-b", "HBW=1G")))
    check("options may come last", last.returncode == 0 and last.stdout == first.stdout, last)
    with open("/dev/full", "w", encoding="utf-8") as full:
        tool = os.path.join(TOOLS, "memkind-advise")
        said = subprocess.run([tool, "--version"], stdout=full, timeout=60, check=False)
    check("a version that cannot be written", said.returncode == 1, said)


def check_whole_way():
    said = run("memkind-profile", "-r", "64K", "-a", "pages", "-o", "arrays", "--", PROGRAM, "arrays")
    (captured,) = glob.glob("arrays.capture.*")
    with open(captured, encoding="utf-8") as stream:
        if "method=written-pages" not in stream.read():
            print("SKIP: advise/whole_way: this kernel does not tell which pages are written")
            return
    said = run("memkind-advise", "--budget", "HBW=7M", "--output", "rules", captured)
    check("there are rules", said.returncode == 0 and not said.stdout, said)
    with open("rules", encoding="utf-8") as stream:
        text = stream.read()
    check("one rule, for the hot arrays", len(rules(text)) == 1 and "MiB at most: site_hot" in text, text)
    said = run("memkind-run", "--check-rules", "rules", MEMKIND_HBW_NODES="0")
    check("the file is right", said.returncode == 0 and not said.stderr, said)
    said = run("memkind-run", "--rules", "rules", "--report", PROGRAM, "arrays", MEMKIND_HBW_NODES="0")
    check("three arrays are there, and nothing else", re.search(r"^HBW +3 +6144 ", said.stderr, re.MULTILINE), said)


def check_inlined():
    """A rule says which function an inlined call is a part of."""
    run("memkind-profile", "-r", "64K", "-a", "none", "-o", "inlined", "--", PROGRAM, "inlined")
    (captured,) = glob.glob("inlined.capture.*")
    with open(captured, encoding="utf-8") as stream, open("used", "w", encoding="utf-8") as copy:
        copy.write(stream.read().replace(" accesses=0", " accesses=7").replace("method=none", "method=samples"))
    said = run("memkind-advise", "--budget", "HBW=1G", "used")
    check("an inlined call", re.search(r": inlined_inner program.c:\d+, in site_around program.c:\d+\n", said.stdout), said)


with tempfile.TemporaryDirectory() as scratch:
    os.chdir(scratch)
    same_options(os.path.join(TOOLS, "memkind-advise"))
    check_choice()
    check_groups()
    check_names()
    check_refusals()
    if len(sys.argv) > 3:
        print("SKIP: advise/whole_way: preloaded into programs that lack the sanitizer's runtime")
    else:
        check_inlined()
        check_whole_way()
    os.chdir("/")
sys.exit(1 if failed() else 0)
