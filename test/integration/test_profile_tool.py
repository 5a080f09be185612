#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""memkind-profile: what it writes for viewers, of a program whose blocks are known; and what it refuses.

usage: test_profile_tool.py MEMKIND_PROFILE PROGRAM
"""

import glob
import gzip
import html.parser
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read only
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
from profile_check import check, failed, near, same_options

TOOL, PROGRAM = (os.path.realpath(path) for path in sys.argv[1:3])


def run(*arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMKIND_")}
    return subprocess.run(
        [TOOL, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


# --- profile.proto, by its numbers --------------------------------------------------------------------


def fields(data):
    """Pairs of a field's number and its value: a number, or bytes."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            yield key >> 3, data[place : place + length]
            place += length
        else:
            raise ValueError(f"wire type {key & 7}")


def message(data):
    """A list of values for each field's number."""
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def numbers(packed):
    """The numbers of a repeated field."""
    return [value for part in packed for value in unpack(part)]


def unpack(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


class Pprof:
    def __init__(self, path):
        with gzip.open(path) as stream:
            top = message(stream.read())
        self.text = [text.decode() for text in top[6]]
        self.types = [self.text[message(kind)[1][0]] for kind in top[1]]
        self.default = self.text[top[14][0]]
        self.functions = {found[1][0]: found for found in map(message, top[5])}
        self.locations = {found[1][0]: found for found in map(message, top[4])}
        self.mappings = [message(mapping) for mapping in top[3]]
        self.samples = [
            (numbers(sample[1]), numbers(sample[2]), sample[3]) for sample in map(message, top[2])
        ]

    def lines(self, location):
        """Function, file, line of each."""
        for line in map(message, self.locations[location].get(4, [])):
            function = self.functions[line[1][0]]
            yield self.text[function[2][0]], self.text[function.get(4, [0])[0]], line.get(2, [0])[0]

    def total(self, leaf, kind):
        place = self.types.index(kind)
        return sum(
            values[place]
            for locations, values, _ in self.samples
            if [name for name, _, _ in self.lines(locations[0])] == [leaf]
        )


class Page(html.parser.HTMLParser):
    """What stands open, and the rows of the table."""

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.wrong, self.values = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag in ("meta", "line"):
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append("")
        if tag == "td" and dict(attrs).get("data-value"):
            self.values.append(int(dict(attrs)["data-value"]))

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if "tr" in self.open:
            self.rows[-1] += data


# --- outputs -------------------------------------------------------------------------------------------


def check_pprof(captured):
    pprof = Pprof("out.pb.gz")
    check(
        "types of values",
        pprof.types
        == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "peak_space", "accesses"],
        pprof.types,
    )
    check("bytes at the peak are shown first", pprof.default == "peak_space", pprof.default)
    check("the first text is empty", pprof.text[0] == "")
    check("a sample for each site", len(pprof.samples) == captured, len(pprof.samples))
    near("bytes of small blocks", 20000000, pprof.total("site_small", "alloc_space"))
    near("small blocks in the end", 10000, pprof.total("site_small", "inuse_objects"))
    near("bytes at the peak", 8000000, pprof.total("site_grown", "peak_space"), 0)
    lines = [line for number in pprof.locations for line in pprof.lines(number)]
    check(
        "functions have their file and line",
        any(name == "site_small" and file.endswith("program.c") and line > 0 for name, file, line in lines),
        lines,
    )
    check("the program is the first mapping", pprof.text[pprof.mappings[0][5][0]] == PROGRAM)
    check(
        "addresses are in their mappings",
        all(
            pprof.mappings[location[2][0] - 1][2][0] <= location[3][0] < pprof.mappings[location[2][0] - 1][3][0]
            for location in pprof.locations.values()
            if location.get(2)
        ),
    )


def check_folded():
    with open("out.folded", encoding="utf-8") as stream:
        rows = [line.rsplit(" ", 1) for line in stream.read().splitlines()]
    near("the sum of the folded stacks", 28000000, sum(int(number) for _, number in rows))
    check(
        "the kind, main and the site",
        any(re.fullmatch(r"DEFAULT;.*main;f;site_grown", stack) for stack, _ in rows),
        rows,
    )


def check_page(captured):
    with open("out.html", encoding="utf-8") as stream:
        text = stream.read()
    page = Page()
    page.feed(text)
    check("the page is well formed", not page.wrong and not page.open, (page.wrong, page.open))
    check("a row for each site", len(page.rows) == captured + 1, len(page.rows))
    for name in ("site_small", "site_short", "site_grown"):
        check(f"{name} has a row", any(f"{name} program.c:" in row for row in page.rows))
        check(f"{name} is in the plot", re.search(rf"<path [^>]*><title>{name} program.c:", text))
    check("nothing is from elsewhere", not re.search(r'(src|href)="|url\(|@import', text))
    largest = max(page.values)
    near("the largest number", 40960000, largest)


def check_outputs():
    said = run("--rate", "8K", "-o", "out", "--", PROGRAM, "sites")
    check("the program's output is its own", said.stdout == "well\n" and said.returncode == 0, said)
    (capture,) = glob.glob("out.capture.*")
    with open(capture, encoding="utf-8") as stream:
        captured = sum(line.startswith("site ") for line in stream)
    check_pprof(captured)
    check_folded()
    check_page(captured)
    with open("out.pb.gz", "rb") as first:
        before = first.read()
    again = run("--output", "again", "--report", capture)
    with open("again.pb.gz", "rb") as second:
        check("--report makes the same of it", again.returncode == 0 and gzip.decompress(second.read()) == gzip.decompress(before), again)
    return capture


def check_inlined():
    """A return address in a function that was inlined, twice, is in three functions."""
    run("-r", "8K", "-a", "none", "-o", "inlined", "--", PROGRAM, "inlined")
    pprof = Pprof("inlined.pb.gz")
    names = ["inlined_inner", "inlined_middle", "site_around"]
    found = [list(pprof.lines(locations[0])) for locations, _, _ in pprof.samples]
    found = [lines for lines in found if lines and lines[0][0] == names[0]]
    check("one address, three functions", found and [name for name, _, _ in found[0]] == names, found)
    with open(os.path.join(os.path.dirname(__file__), "profile/program.c"), encoding="utf-8") as stream:
        source = stream.read().splitlines()
    calls = ("malloc(size)", "inlined_inner(size + 1)", "inlined_middle(size)")
    for (name, file, line), text in zip(found[0] if found else [], calls):
        check(f"{name} calls in its line", file.endswith("program.c") and text in source[line - 1], (line, source[line - 1]))
    with open("inlined.folded", encoding="utf-8") as stream:
        check("three frames of a flame graph", ";".join(reversed(names)) + " " in stream.read())
    with open("inlined.html", encoding="utf-8") as stream:
        page = stream.read()
    items = ".*?</li><li>".join(f"{name} program.c:" for name in names)
    check("three lines of the page", re.search("<li>" + items, page), page)


def check_refusals(capture):
    with open(capture, encoding="utf-8") as stream:
        lines = stream.read().splitlines(keepends=True)
    for name, text, reason in (
        ("cut", "".join(lines[:-1]), "it has no end: it is not complete"),
        ("future", "memkind-profile 2\n" + "".join(lines[1:]), "this is no profile of version 1"),
        ("empty", "", "it has no end: it is not complete"),
        ("headless", "memkind-profile 1\nend\n", "it has no end: it is not complete"),
        ("stranger", "".join(lines[:-1]) + "block site=4000 address=0x1 size=1 born=1\nend\n", f"line {len(lines)} is not as it should be"),
        ("late", "".join(lines[:-1]) + "site 99 kind=DEFAULT stack=\nend\n", f"line {len(lines)} is not as it should be"),
        ("nowhere", "".join(lines[:-1]) + "site 99 kind=DEFAULT stack=77+0x1\nend\n", f"line {len(lines)} is not as it should be"),
    ):
        with open(name, "w", encoding="utf-8") as stream:
            stream.write(text)
        said = run("-R", name)
        check(f"a capture that is {name}", said.stderr == f"memkind-profile: {name}: {reason}\n" and said.returncode == 125, said)
    more = "".join(lines[:-1]) + "later fields=1\nend\n"
    with open("later", "w", encoding="utf-8") as stream:
        stream.write(more)
    check("a word that is not known is skipped", run("-R", "later", "-o", "later").returncode == 0)
    said = run("-R", "missing")
    check("a capture that is not there", said.stderr == "memkind-profile: missing: No such file or directory\n", said)
    said = run("-R", capture, "-o", "no/folder")
    check("files that cannot be written", said.returncode == 125 and said.stderr.count("No such file or directory") == 3, said)
    said = run("--rate", "none", PROGRAM)
    check("a rate that is no size", said.returncode == 125 and "--rate: this is no size: none" in said.stderr, said)
    check("no program", run().returncode == 125)
    check("no program, and a report", run("-R", capture, PROGRAM).returncode == 125)
    check("no such option", run("--quick", PROGRAM).returncode == 125)
    check("--help", run("--help").stdout.startswith("usage: memkind-profile "))
    check("--version", re.fullmatch(r"memkind-profile [0-9.]+\n", run("-V").stdout))


def check_samples():
    """Accesses to one of the arrays, some of them when it was not there, and to nobody's memory."""
    run("-r", "64K", "-o", "arrays", "--accesses", "none", "--", PROGRAM, "arrays")
    (capture,) = glob.glob("arrays.capture.*")
    with open(capture, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    head = dict(line.partition("=")[::2] for line in lines if re.match(r"[a-z]+=", line))
    check("nobody looks at pages", head["method"] == "none", head["method"])
    blocks = [dict(word.split("=") for word in line.split()[1:]) for line in lines if line.startswith("block ")]
    hot, cold = ([block for block in blocks if block["size"] == size] for size in ("2000000", "4000000"))
    check("all arrays are sampled", (len(hot), len(cold)) == (3, 7), blocks)
    accesses = []
    for block, count in ((hot[1], 1000), (cold[2], 10)):
        for number in range(count):
            time = int(head["clock"]) + int(block["born"]) + 1000 + number
            accesses.append(f"{time // 10**9}.{time % 10**9:09d}: {int(block['address'], 16) + number * 1999:>16x}")
    early = int(head["clock"]) + int(hot[1]["born"]) - 1
    accesses.append(f"  {early // 10**9}.{early % 10**9:09d} {hot[1]['address']}")
    accesses.append(f"{early // 10**9 + 1}.5 0x10")
    before = int(head["clock"]) - 10**9
    accesses.append(f"{before // 10**9}.{before % 10**9:09d} {hot[1]['address']}")
    with open("accesses", "w", encoding="utf-8") as stream:
        stream.write("\n".join(reversed(accesses)) + "\n")
    said = run("-s", "accesses", "-o", "recorded", "-R", capture)
    check("accesses are found", "1010 of 1013 accesses were to blocks" in said.stderr, said)
    pprof = Pprof("recorded.pb.gz")
    check("the hot array's site", pprof.total("site_hot", "accesses") == 1000, pprof.total("site_hot", "accesses"))
    check("the cold array's site", pprof.total("site_cold", "accesses") == 10)
    with open("recorded.capture", encoding="utf-8") as stream:
        copied = stream.read().splitlines()
    check(
        "the capture with them",
        "method=samples" in copied and len(copied) == len(lines) and sum(" accesses=1000 " in line for line in copied) == 1,
    )
    check("it can be reported", run("-R", "recorded.capture", "-o", "copied").returncode == 0)
    with open("recorded.html", encoding="utf-8") as stream:
        check("the page says how they were counted", "Accesses: samples." in stream.read())
    with open("more", "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines + [line for line in lines if line.startswith("site ")] * 9999) + "\n")
    run("-s", "accesses", "-o", "more", "-R", "more")
    with open("more.capture", encoding="utf-8") as stream:
        check("nothing behind the end is copied", stream.read().splitlines() == copied)
    check_regions(capture, int(head["clock"]) + max(int(block["born"]) for block in hot) + 1000, hot[1])
    for wrong in ("no time 7f00\n", "1.5\n", "1.5 7f00 7f01\n", "1.5 99999999999999999\n", "\n", "1.5 7f-7e 1\n", "1.5 7e-7f\n", "1.5 7e-7f x\n"):
        with open("wrong", "w", encoding="utf-8") as stream:
            stream.write(accesses[0] + "\n" + wrong)
        said = run("-s", "wrong", "-R", capture)
        check(f"no access: {wrong!r}", said.returncode == 125 and "wrong: line 2 has no time" in said.stderr, said)
    check("no such file of them", run("-s", "missing", "-R", capture).returncode == 125)
    check("no such way to count", run("--accesses", "all", PROGRAM).returncode == 125)


def check_regions(capture, time, hot):
    """Half of an array with what lies before it, 5 of whose pages were used; all that there is, 1 of them."""
    start, middle = int(hot["address"], 16), int(hot["address"], 16) + 4096 * 250
    with open("regions", "w", encoding="utf-8") as stream:
        stream.write(f"{time // 10**9}.{time % 10**9:09d}: {start - 65536:x}-{middle:x} 5\n")
        stream.write(f"{time // 10**9}.{time % 10**9:09d}: 1000-7fffffffffff 1\n")
    said = run("-s", "regions", "-o", "regions", "-R", capture)
    check("regions are of blocks", "2 of 2 accesses were to blocks" in said.stderr, said)
    pprof = Pprof("regions.pb.gz")
    near("half of a hot array, and all of them", 5 * 250 + 3 * 2000000 / 4096, pprof.total("site_hot", "accesses"), 0.02)
    near("all cold arrays", 7 * 4000000 / 4096, pprof.total("site_cold", "accesses"), 0.02)
    with open("regions.html", encoding="utf-8") as stream:
        check("the page says that they are regions", "Accesses: regions:DAMON." in stream.read())


def check_counted():
    """By the kernel: page faults go the way that precise samples go where there are any."""
    said = run("-r", "64K", "-o", "faults", "-a", "faults", "--", PROGRAM, "arrays")
    if "--accesses: the kernel has none here" in said.stderr:
        check("without events nothing is run", said.returncode == 125 and not said.stdout, said)
        print("SKIP: profile_tool/faults: this user may not have events of the kernel")
    else:
        check("the program goes on", said.stdout == "well\n" and said.returncode == 0, said)
        pprof = Pprof("faults.pb.gz")
        for site, size in (("site_cold", 28000000), ("site_hot", 6000000)):
            found = pprof.total(site, "accesses")
            check(f"each page of {site} has one fault at most", found <= size / 4096 + 10, found)
        # A busy machine may lose those of the second half.
        check("there are faults", pprof.total("site_cold", "accesses") > 0)
        (capture,) = glob.glob("faults.capture.*")
        with open(capture, encoding="utf-8") as stream:
            check("the capture has them, too", "\nmethod=samples\n" in stream.read())
        with open("faults.accesses", encoding="utf-8") as stream:
            recorded = len(stream.readlines())
        check("they are those of the file", f"of {recorded} accesses were to blocks" in said.stderr, (recorded, said))
    said = run("-r", "64K", "-o", "auto", "--", PROGRAM, "threads")
    (capture,) = glob.glob("auto.capture.*")
    with open(capture, encoding="utf-8") as stream:
        method = re.search("^method=(.*)$", stream.read(), re.M)[1]
    check("there is always a way or none", method in ("none", "regions:DAMON") or method.startswith("written-pages:"), method)
    check("and a program", said.stdout == "well\n", said)
    said = run("-a", "samples", "-o", "precise", PROGRAM, "threads")
    check(
        "precise samples, or why there are none",
        said.returncode == 0 or (said.returncode == 125 and "the kernel has none here" in said.stderr and not said.stdout),
        said,
    )


def check_damon():
    """Reads are seen, too, where the kernel has DAMON for this user; test/system/vm/checks has such a machine."""
    said = run("-r", "64K", "-a", "damon", "-o", "damon", PROGRAM, "reads")
    if said.returncode == 125:
        reason = re.fullmatch("memkind-profile: --accesses: (.*DAMON.*|.*/nr_kdamonds: .*)\n", said.stderr)
        check("without DAMON nothing is run", reason and not said.stdout, said)
        print(f"SKIP: profile_tool/damon: {reason and reason[1]}")
        return
    check("the program goes on beside DAMON", said.stdout == "well\n" and said.returncode == 0, said)
    pprof = Pprof("damon.pb.gz")
    hot, cold = pprof.total("site_hot", "accesses") / 6000000, pprof.total("site_cold", "accesses") / 28000000
    check("what is read is hot", hot * 4096 >= 4 and hot >= 4 * cold, (hot, cold))


def check_programs():
    said = run("nobody")
    check("no such program", said.returncode == 127 and said.stderr == "memkind-profile: nobody: No such file or directory\n", said)
    said = run("sh", "-c", "kill -9 $$")
    check("a program that is killed", said.returncode == 137 and "there is no profile" in said.stderr, said)
    said = run("-r", "8K", "-o", "forked", "--", PROGRAM, "fork")
    others = re.findall(r"another process: memkind-profile --report (\S+)", said.stderr)
    check("a child's capture is told", len(others) == 1 and run("-o", "child", "-R", others[0]).returncode == 0, said)
    check("it is the child's", Pprof("child.pb.gz").total("site_grown", "inuse_space") == 8000000)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        same_options(TOOL)
        capture = check_outputs()
        check_inlined()
        check_refusals(capture)
        check_samples()
        check_counted()
        check_damon()
        check_programs()
        os.chdir("/")
    return failed()


sys.exit(main())
