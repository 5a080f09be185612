#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""The profile of libmemkind-preload.so: what its file says of a program whose blocks are known.

usage: test_profile.py PRELOAD PROGRAM
"""

import bisect
import glob
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read only
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
from profile_check import check, failed, near

PRELOAD, PROGRAM = (os.path.realpath(path) for path in sys.argv[1:3])
RATE = 8192


class Capture:
    """A file of docs/profile.md."""

    def __init__(self, path):
        self.head, self.modules, self.sites, self.points, self.blocks = {}, [], [], [], []
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
        assert lines[0] == "memkind-profile 1" and lines[-1] == "end", lines
        for line in lines[1:-1]:
            word, _, rest = line.partition(" ")
            fields = dict(field.partition("=")[::2] for field in rest.split(" ") if "=" in field)
            if word == "module":
                self.modules.append({**fields, "path": line.partition(" path=")[2]})
            elif word == "site":
                self.sites.append(
                    {name: int(value) if value.isdigit() else value for name, value in fields.items()}
                )
            elif word == "point":
                live = (pair.split(":") for pair in fields["live"].split(",") if pair)
                self.points.append((int(fields["time"]), {int(site): int(live) for site, live in live}))
            elif word == "block":
                self.blocks.append(fields)
            else:
                name, _, value = line.partition("=")
                self.head[name] = value

    def of(self, function):
        """The sites whose innermost frame is in that function of the program, as one."""
        chosen = [site for site in self.sites if self.function(site["stack"].split(",")[0]) == function]
        total = {"sites": len(chosen)}
        for site in chosen:
            for name, value in site.items():
                if isinstance(value, int):
                    total[name] = total.get(name, 0) + value
        return total

    def function(self, frame):
        module, _, offset = frame.partition("+")
        if module == "?" or self.modules[int(module)]["path"] != PROGRAM:
            return None
        index = bisect.bisect(SYMBOLS, (int(offset, 16), "~")) - 1
        return SYMBOLS[index][1] if index >= 0 else None


def run(mode, **variables):
    """The captures of the program's processes; the one that was started first."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMKIND_")}
        environment |= {
            "LD_PRELOAD": PRELOAD,
            "MEMKIND_PRELOAD_PROFILE": f"{folder}/capture",
            "MEMKIND_PRELOAD_PROFILE_RATE": str(RATE),
            **variables,
        }
        with subprocess.Popen([PROGRAM, mode], env=environment, stdout=subprocess.PIPE, text=True) as process:
            said = process.communicate(timeout=60)[0]
        check(f"{mode}: the program goes on", said.splitlines()[-1:] == ["well"] and process.returncode == 0, said)
        files = sorted(glob.glob(f"{folder}/capture.*"), key=lambda path: not path.endswith(f".{process.pid}"))
        return [Capture(path) for path in files]


def check_sites(manager):
    captures = run("sites", MEMKIND_HEAP_MANAGER=manager)
    check("one process, one file", len(captures) == 1, captures)
    capture = captures[0]
    check("the rate", capture.head["rate"] == str(RATE), capture.head)
    check("nobody has asked for accesses", capture.head["method"] == "none", capture.head)
    check("there are none", not any(site["accesses"] for site in capture.sites))
    check("the program", capture.head["program"] == PROGRAM, capture.head)
    check("nothing is lost", capture.head["lost"] == "0", capture.head)
    lengths = {len(module.get("build-id", "")) for module in capture.modules}
    check("build ids", 40 in lengths and lengths <= {0, 40}, capture.modules)
    small, short, grown = (capture.of(f"site_{name}") for name in ("small", "short", "grown"))
    near("bytes of small blocks", 20000000, small["bytes"])
    near("small blocks", 20000, small["calls"])
    near("bytes of small blocks at their peak", 20000000, small["peak"])
    near("bytes of small blocks in the end", 10000000, small["live"])
    near("small blocks in the end", 10000, small["live-calls"])
    near("small blocks that went", 10000, small["freed"])
    check("the shortest of their lives is longer than 50 ms", small["lifetime-least"] > 50e6, small)
    check("their size", small["size-least"] == small["size-most"] == 1000, small)
    near("bytes of short lives", 40960000, short["bytes"])
    check("short lives leave nothing", short["live"] == 0 and short["peak"] <= RATE * 2, short)
    check("short lives are short", short["lifetime-mean"] < 20e6, short)
    check("both calls of realloc", grown["bytes"] == 16000000 and grown["sites"] == 2, grown)
    check("what is grown goes", grown["live"] == 0 and grown["freed"] == 2, grown)
    check("at the peak are 8 MB of it", grown["at-peak"] == 8000000, grown)
    near("the peak", 28000000, int(capture.head["peak"]), 0.1)
    near("small blocks at the peak", 20000000, small["at-peak"])
    total = [sum(live.values()) for _, live in capture.points]
    check("points are in order", capture.points == sorted(capture.points, key=lambda point: point[0]))
    check("at most 512 points", 10 <= len(total) <= 512, len(total))
    near("the highest point", 28000000, max(total))
    high = [time for (time, _), bytes_then in zip(capture.points, total) if bytes_then > 27000000]
    check("a pause has a point at both ends", max(high) - min(high) > 40e6, high)
    near("the last point", 10000000, total[-1])
    blocks = [block for block in capture.blocks if block["size"] == "8000000"]
    check(
        "large blocks are kept with their lives",
        len(blocks) == 2 and all(int(block["died"]) > int(block["born"]) for block in blocks),
        blocks,
    )


def check_threads():
    (capture,) = run("threads")
    small = capture.of("site_small")
    near("bytes of four threads", 20000000, small["bytes"])
    near("bytes at the peak", 20000000, small["at-peak"])
    check("all are freed on another thread", small["live"] == 0, small)


def check_fork():
    captures = run("fork")
    check("a file for each process", len(captures) == 2, len(captures))
    parent, child = captures
    near("the parent's blocks are there", 20000000, parent.of("site_small")["live"])
    check("the child's are not the parent's", not parent.of("site_grown")["sites"])
    check("the parent's are not the child's", not child.of("site_small")["sites"], child.sites)
    check("the child's blocks", child.of("site_grown").get("live") == 8000000, child.sites)


def check_arrays():
    """The kernel tells which pages were written, or nothing at all."""
    (capture,) = run("arrays", MEMKIND_PRELOAD_PROFILE_PAGES="10")
    method = capture.head["method"]
    if method == "none":
        print("SKIP: profile/arrays: neither PAGEMAP_SCAN nor soft-dirty bits here")
        return
    hot, cold = capture.of("site_hot"), capture.of("site_cold")
    check(f"there were rounds of {method}", int(capture.head["rounds"]) >= 3, capture.head)
    check("what is filled was written", cold["accesses"] > 0.9 * 28000000 / 4096, cold)
    check(
        "written arrays have most accesses per byte",
        hot["accesses"] / hot["bytes"] > 2 * cold["accesses"] / cold["bytes"],
        (hot, cold),
    )
    most = (int(capture.head["rounds"]) + 1) * 6000000 / 4096
    check("a page has one access a round at most", hot["accesses"] <= most, (hot["accesses"], most))
    blocks = [int(block["accesses"]) for block in capture.blocks if block["size"] == "2000000"]
    check("each written array has its part", len(blocks) == 3 and min(blocks) > 0.5 * max(blocks), blocks)
    captures = run("fork", MEMKIND_PRELOAD_PROFILE_PAGES="10")
    check("the child has no thread for it", captures[1].head["method"] == "none", captures[1].head)
    (capture,) = run("threads", MEMKIND_PRELOAD_PROFILE_PAGES="often")
    check("an interval that is none", capture.head["method"] == "none", capture.head)


def main():
    global SYMBOLS
    lines = subprocess.run(["nm", PROGRAM], check=True, capture_output=True, text=True).stdout.splitlines()
    SYMBOLS = sorted((int(line.split()[0], 16), line.split()[2]) for line in lines if len(line.split()) == 3)
    for manager in ("JEMALLOC", "TBB"):
        check_sites(manager)
    check_threads()
    check_fork()
    check_arrays()
    check("a file for each of 21 processes", 1 <= len(run("busy", MEMKIND_PRELOAD_PROFILE_PAGES="1")) <= 21)
    return failed()


sys.exit(main())
