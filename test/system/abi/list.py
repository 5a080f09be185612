#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""Lists the ABI: what a program compiled against the headers has in it of them, one fact a line, sorted.

    enumerator NAME VALUE, of TYPE, SIZE bytes
    function NAME: TYPE
    macro NAME VALUE
    struct NAME: SIZE bytes
    struct NAME.MEMBER: OFFSET, TYPE
    symbol LETTER NAME [VERSION][, SIZE bytes]   what the library exports, with nm's letter
    typedef NAME: TYPE
    variable NAME: TYPE

Types, values and offsets are the compiler's, read from the debug information of a source file that
includes the headers and names every function and variable.

usage: list.py COMPILER HEADERS [LIBRARY]
"""

import os
import re
import subprocess
import sys
import tempfile

HEADERS = ("memkind.h", "hbwmalloc.h", "memkind_memtier.h")
OURS = re.compile(r"(memkind|hbw|memtier)_|(MEMKIND|HBW|MEMTIER)_")
RECORD = re.compile(r" <\d+><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)")
DEPTH = re.compile(r" <(\d+)>")
ATTRIBUTE = re.compile(r"    <[0-9a-f]+>\s+DW_AT_(\w+)\s*: (.*)")

NOTES = re.compile(r"^(?:\([^()]*\)[ :]*)*")  # form, place of the string: whatever readelf puts before a value


def output(*command, text=None):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, text=True).stdout


class Headers:
    """What the headers of a folder say, by way of the compiler."""

    def __init__(self, compiler, folder):
        self.compile = [compiler, "-I", folder, "-x", "c", "-D_GNU_SOURCE", "-Wno-deprecated-declarations"]
        self.include = "".join(f"#include <{name}>\n" for name in HEADERS)
        self.records = {}  # offset: record
        self.top = []
        with tempfile.TemporaryDirectory() as scratch:
            self.read_debug_information(os.path.join(scratch, "object"))

    def names(self):
        """Functions and variables that are declared."""
        text = output(*self.compile, "-E", "-P", "-", text=self.include)
        functions = set(re.findall(r"\b((?:memkind|hbw|memtier)_\w+) *\([^)]*\)[^;{]*;", text))
        variables = set(re.findall(r"\bextern\s+\w+\s+(MEMKIND_\w+)\s*;", text))
        return sorted(functions | variables)

    def read_debug_information(self, file):
        source = self.include + "".join(
            f"__typeof__({name}) *declared_{name};\n" for name in self.names())
        output(*self.compile, "-g", "-gdwarf-4", "-O0", "-fno-eliminate-unused-debug-types", "-c", "-o", file,
               "-", text=source)
        parents = []
        for line in output("readelf", "--debug-dump=info", "--wide", file).splitlines():
            if found := RECORD.match(line):
                record = {"tag": found[2], "children": []}
                depth = int(DEPTH.match(line)[1])
                del parents[depth:]
                (parents[-1]["children"] if depth > 1 else self.top).append(record)
                parents.append(record)
                self.records[found[1]] = record
            elif found := ATTRIBUTE.match(line):
                value = NOTES.sub("", found[2]).split("\t")[0].strip()
                record[found[1]] = value if found[1] == "name" else value.split(",")[0]

    def target(self, record):
        """What a pointer, a typedef, a member... is of; None: void."""
        reference = record.get("type")
        return reference and self.records[reference.strip("<>").removeprefix("0x")]

    def type(self, record):
        if record is None:
            return "void"
        tag, name = record["tag"], record.get("name")
        if tag == "pointer_type":
            return self.type(self.target(record)) + " *"
        if tag in ("const_type", "volatile_type", "restrict_type"):
            return f"{self.type(self.target(record))} {tag.removesuffix('_type')}"
        if tag == "subroutine_type":
            parameters = [self.type(self.target(child)) for child in record["children"]]
            return f"{self.type(self.target(record))} ({', '.join(parameters) or 'void'})"
        if tag == "array_type":
            return self.type(self.target(record)) + "[]"
        prefix = {"structure_type": "struct ", "enumeration_type": "enum ", "union_type": "union "}.get(tag, "")
        return prefix + (name or "without a name")

    def facts(self):
        for record in self.top:
            tag, name = record["tag"], record.get("name", "")
            if tag == "variable" and name.startswith("declared_"):
                target = self.target(self.target(record))
                sort = "function" if target["tag"] == "subroutine_type" else "variable"
                yield f"{sort} {name.removeprefix('declared_')}: {self.type(target)}"
            elif tag == "typedef" and OURS.match(name):
                yield f"typedef {name}: {self.type(self.target(record))}"
            elif tag == "enumeration_type":
                for child in record["children"]:
                    if OURS.match(child["name"]):
                        yield (f"enumerator {child['name']} {int(child['const_value'], 0)}, "
                               f"of {name or 'no name'}, {record['byte_size']} bytes")
            elif tag == "structure_type" and OURS.match(name):
                yield f"struct {name}: " + (f"{record['byte_size']} bytes" if "byte_size" in record else "opaque")
                for child in record["children"]:
                    yield (f"struct {name}.{child['name']}: {child['data_member_location']}, "
                           f"{self.type(self.target(child))}")
        for line in output(*self.compile, "-E", "-dM", "-", text=self.include).splitlines():
            if found := re.match(r"#define ((?:MEMKIND|HBW|MEMTIER)_\w+)(\(.*?\))?\s*(.*)", line):
                yield f"macro {found[1]}{found[2] or ''} {found[3]}".rstrip()


def symbols(library):
    for line in output("nm", "-D", "-S", "--defined-only", library).splitlines():
        _, size, letter, name = line.split()
        name, _, version = name.partition("@")
        yield (f"symbol {letter} {name}" + (f" {version.lstrip('@')}" if version else "")
               + (f", {int(size, 16)} bytes" if letter not in "Tt" else ""))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    facts = set(Headers(*sys.argv[1:3]).facts())
    if len(sys.argv) == 4:
        facts.update(symbols(sys.argv[3]))
    print("\n".join(sorted(facts)))


main()
