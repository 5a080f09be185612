#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""The public headers render as a manual: the target docs is made without a warning, and in what Doxygen read,
each exported function and kind has an entry in which nothing is missing. The manual pages name the same errors.

usage: test_docs.py CMAKE SOURCE_DIR BUILD_DIR
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

failures = []


def fail(text):
    print(f"FAIL: {text}")
    failures.append(text)


def text_of(element):
    return "" if element is None else " ".join("".join(element.itertext()).split())


def exported(source):
    """Functions and kinds of the map that have a header."""
    text = (source / "cmake/memkind.map").read_text(encoding="utf-8")
    text = text[text.index("global:"):text.index("local:")]
    functions, kinds, header = [], [], None
    for comment, name in re.findall(r"/\*(.*?)\*/|(\w+);", text, re.S):
        if comment:
            header = comment.strip()
        elif header.startswith("kinds"):
            kinds.append(name)
        elif not header.startswith("no header"):
            functions.append(name)
    return functions, kinds


def entries(xml):
    """Functions, variables and enumerators by name. Classes have members of the same names: they do not count."""
    found = {"function": {}, "variable": {}, "enumvalue": {}}
    for file in xml.glob("*.xml"):
        root = ElementTree.parse(file).getroot()
        for compound in root.findall("compounddef"):
            if compound.get("kind") not in ("group", "file"):
                continue
            for member in compound.iter("memberdef"):
                if member.get("kind") in found:
                    found[member.get("kind")][member.findtext("name")] = member
                # Those of C++ have a comment for the whole enumeration.
                for value in [] if member.get("strong") == "yes" else member.findall("enumvalue"):
                    found["enumvalue"][value.findtext("name")] = value
    return found


def check_function(name, member):
    if not text_of(member.find("briefdescription")):
        fail(f"{name} has no summary")
    declared = [text_of(parameter.find("declname")) for parameter in member.findall("param")
                if text_of(parameter.find("type")) != "void"]
    described = []
    for item in member.findall("detaileddescription//parameterlist[@kind='param']/parameteritem"):
        names = [text_of(parameter) for parameter in item.iter("parametername")]
        described += names
        if not text_of(item.find("parameterdescription")):
            fail(f"{name}: no word on the parameter {', '.join(names)}")
    if declared != described:
        fail(f"{name} has the parameters {declared}, and its comment has {described}")
    returns = [text_of(section) for section in member.findall("detaileddescription//simplesect[@kind='return']")]
    if text_of(member.find("type")) == "void":
        if returns:
            fail(f"{name} returns nothing, and its comment says {returns}")
    elif len(returns) != 1 or not returns[0]:
        fail(f"{name} does not say what it returns")
    return returns[0] if returns else ""


def man_errors(path, macro):
    """Errors that have an entry under ERRORS of a manual page."""
    text = path.read_text(encoding="utf-8")
    section = re.search(r"^\.Sh ERRORS\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    return set(re.findall(macro, section.group(1), re.M)) if section else set()


def check_errors(source, returns):
    """An error that a function returns has its entry on the manual page, and the other way round."""
    for page, prefix in (("memkind.3", "memkind_"), ("hbwmalloc.3", "hbw_")):
        text = " ".join(value for name, value in returns.items() if name.startswith(prefix))
        for what, in_header, macro in (
                ("errno values", r"\bE[A-Z]{3,}\b", r"^\.It Bq Er (\w+)"),
                ("codes", r"\bMEMKIND_(?:SUCCESS|ERROR_\w+)", r"^\.It Dv (MEMKIND_(?:SUCCESS|ERROR_\w+))")):
            # MEMKIND_ERROR_BADOPS is there for old programs: nothing returns it.
            said = set(re.findall(in_header, text))
            listed = man_errors(source / "man" / page, macro) - {"MEMKIND_ERROR_BADOPS"}
            if said != listed:
                fail(f"{what}: only the headers have {sorted(said - listed)},"
                     f" only {page} has {sorted(listed - said)}")


def main():
    cmake, source, build = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    made = subprocess.run([cmake, "--build", build, "--target", "docs"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    print(made.stdout, end="")
    if made.returncode != 0 or re.search(r"\bwarning:|\berror:", made.stdout):
        sys.exit("FAIL: the target docs")

    site = build / "docs"
    for page in sorted(source.glob("man/*.[1-8]")):
        if not (site / "html/man" / f"{page.name}.html").is_file():
            fail(f"{page.name} is not on the site")

    functions, kinds = exported(source)
    found = entries(site / "xml")
    returns = {}
    for name in functions:
        if name in found["function"]:
            returns[name] = check_function(name, found["function"][name])
        else:
            fail(f"{name} has no entry")
    for name in kinds:
        if name not in found["variable"] or not text_of(found["variable"][name].find("briefdescription")):
            fail(f"{name} has no entry, or an empty one")
    for name, value in found["enumvalue"].items():
        # The comment of their enumeration says what each of these is.
        if not name.startswith("MEMKIND_PARTITION_") and not text_of(value.find("briefdescription")):
            fail(f"{name} has no comment")
    check_errors(source, returns)

    if failures or not functions or not kinds:
        sys.exit(f"{len(failures)} failures")
    print(f"{len(functions)} functions and {len(kinds)} kinds, each with an entry")


if __name__ == "__main__":
    main()
