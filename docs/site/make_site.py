#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""Makes the site of `cmake --build . --target docs`: the headers' manual, the manual pages, the documents.

usage: make_site.py --source DIR --site DIR --doxygen PROGRAM --mandoc PROGRAM

--site is the folder that has the Doxyfile; the site is its html/index.html. Ends with status 1 when Doxygen or
mandoc warns, or when a link of the site leads nowhere.
"""

import argparse
import html
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

# Documents of the project that are pages of the site, in the order in which the site lists them.
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "docs/*.md", "docs/languages/*.md", "docs/design/*.md", "CONTRIBUTING.md", "*.md",
             "bench/README.md", "packaging/README.md"]
OTHER_MANUALS = "https://man7.org/linux/man-pages/man%S/%N.%S.html"

MAN_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}({section}) - libmemkind</title>
<link rel="stylesheet" href="../site.css">
</head>
<body class="manual">
<p class="up"><a href="../index.html">libmemkind</a> / <a href="../manual_pages.html">Manual pages</a></p>
{text}
</body>
</html>
"""


def run(command, folder=None):
    """What the command writes to standard output; whatever it complains about ends the run, also what its
    exit status says nothing of."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{done.stderr}make_site.py: {' '.join(map(str, command))}: status {done.returncode}")
    return done.stdout


# --- documents -----------------------------------------------------------------------------------


def find_documents(source):
    """Paths below source, each once."""
    found = {}
    for pattern in DOCUMENTS:
        for path in sorted(source.glob(pattern)):
            found[path.relative_to(source).as_posix()] = None
    return list(found)


def label(path):
    """The name of a document's page."""
    return "page_" + re.sub(r"[^a-z0-9]+", "_", path[:-len(".md")].lower())


def slug(title):
    """The name of a heading, as the hosts of repositories make it."""
    return re.sub(r" ", "-", re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()))


class Document:
    """Turns the Markdown of a repository into what Doxygen reads: links between documents and to headings
    are references, and characters that are commands only to Doxygen are text."""

    CODE_SPAN = re.compile(r"(`+)(?!`)((?:.|\n(?!\n))+?)(?<!`)\1(?!`)")
    LINK = re.compile(r"\[((?:[^\[\]]|\n(?!\n))+)\]\(([^()\s]+)\)")

    def __init__(self, path, documents):
        self.path = path
        self.documents = documents
        self.used = {}

    def target(self, name, anchor=""):
        """What a reference to a file names, or None if the file is not a page."""
        folder = os.path.dirname(self.path)
        for path in (os.path.normpath(os.path.join(folder, name)) if name else self.path, name):
            if path in self.documents:
                return label(path) + ("--" + anchor if anchor else "")
        return None

    def link(self, match):
        text, address = match.groups()
        if re.match(r"[a-z]+:", address):
            return match.group(0)
        name, _, anchor = address.partition("#")
        target = self.target(name, anchor)
        text = text.replace("\n", " ")
        # A file of the repository that is not on the site has no address here.
        return f"[{text.replace('`', '')}](@ref {target})" if target else text

    def code(self, match):
        text = match.group(2)
        target = self.target(text)
        if target and target != label(self.path):
            return f"[{text}](@ref {target})"
        # Doxygen turns the name of a function into a link, though not in code.
        if re.fullmatch(r"(memkind|hbw|memtier)_\w+\(\)", text):
            return text
        return match.group(0)

    @staticmethod
    def escape(text):
        """Commands and tags of Doxygen's that are none in Markdown."""
        text = re.sub(r"[@\\](?=\w)", r"\\\g<0>", text)
        text = re.sub(r"#(?=\w)", r"\\#", text)
        return re.sub(r"<(?!!--|https?:)", r"\\<", text)

    def prose(self, text):
        kept = []

        def keep(piece):
            kept.append(piece)
            return f"\0{len(kept) - 1}\0"

        text = self.CODE_SPAN.sub(lambda match: keep(match.group(0)), text)
        text = self.LINK.sub(lambda match: keep(self.link(match)), text)
        text = self.escape(text)
        while "\0" in text:
            text = re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], text)
        return self.CODE_SPAN.sub(self.code, text)

    def heading(self, match):
        marks, title = match.groups()
        if len(marks) == 1 and not self.used:
            self.used[""] = 1
            return f"# {title} {{#{label(self.path)}}}"
        name = slug(title)
        count = self.used.get(name, 0)
        self.used[name] = count + 1
        if count:
            name += f"-{count}"
        return f"{marks} {title} {{#{label(self.path)}--{name}}}"

    def convert(self, text):
        pieces = re.split(r"(^(```+|~~~+)[^\n]*\n(?:.*\n)*?\2 *$)", text, flags=re.M)
        made = []
        for index in range(0, len(pieces), 3):
            piece = self.prose(pieces[index])
            made.append(re.sub(r"^(#+) +(.*?) *#*$", self.heading, piece, flags=re.M))
            if index + 1 < len(pieces):
                made.append(pieces[index + 1])
        return "".join(made)


def make_documents(source, folder):
    folder.mkdir(parents=True)
    documents = find_documents(source)
    for path in documents:
        text = Document(path, documents).convert((source / path).read_text(encoding="utf-8"))
        name = "README" if path == "README.md" else label(path)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


# --- manual pages --------------------------------------------------------------------------------


def manual_pages(source):
    """File, name, section and purpose of each, in the order of sections 7, 3, 1: overview, functions, tools."""
    found = []
    for path in source.glob("man/*.[1-8]"):
        text = path.read_text(encoding="utf-8")
        purpose = re.search(r"^\.Nd (.*)$", text, re.M).group(1)
        found.append((path, path.stem, path.suffix[1:], purpose.replace("\\-", "-")))
    return sorted(found, key=lambda page: (-int(page[2]), page[1] != "memkind", page[1]))


def list_manual_pages(source, folder):
    lines = ["# Manual pages {#manual_pages}", "",
             "They are installed with the library, for man(1).", "",
             "| Page | About |", "| ---- | ----- |"]
    for path, name, section, purpose in manual_pages(source):
        lines.append(f'| <a href="man/{path.name}.html">{name}({section})</a> | {purpose} |')
    (folder / "manual_pages.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_manual_pages(source, folder, mandoc):
    folder.mkdir()
    for path, name, section, _ in manual_pages(source):
        # Its own pages are found beside it, in the folder where it runs.
        text = run([mandoc, "-W", "warning", "-T", "html", "-O", f"fragment,man=%N.%S.html;{OTHER_MANUALS}",
                    path.name], path.parent)
        page = MAN_PAGE.format(name=html.escape(name), section=section, text=text)
        (folder / f"{path.name}.html").write_text(page, encoding="utf-8")


# --- links ---------------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """Where a page's links lead, and where links to it can lead."""

    def __init__(self, path):
        super().__init__()
        self.links = set()
        self.anchors = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for key, value in attrs:
            if key == "href" or key == "src":
                self.links.add(value)
            elif key == "id" or (key == "name" and tag == "a"):
                self.anchors.add(value)


def check_links(folder):
    """How many links there are inside the site; those that lead nowhere end the run."""
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    count = 0
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            anchor = urllib.parse.unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                broken.append(f"{path.relative_to(folder.resolve())}: {link}")
    if broken:
        sys.exit("make_site.py: links that lead nowhere:\n  " + "\n  ".join(sorted(broken)))
    return count


def main():
    parser = argparse.ArgumentParser(description="Makes the site of the target docs.")
    for option in ("--source", "--site", "--doxygen", "--mandoc"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    source, site = pathlib.Path(options.source), pathlib.Path(options.site)

    for folder in ("pages", "html", "xml"):
        shutil.rmtree(site / folder, ignore_errors=True)
    make_documents(source, site / "pages")
    list_manual_pages(source, site / "pages")
    run([options.doxygen, site / "Doxyfile"], site)
    make_manual_pages(source, site / "html" / "man", options.mandoc)
    count = check_links(site / "html")
    print(f"{site / 'html' / 'index.html'}: {count} links inside the site, all of them lead somewhere")


if __name__ == "__main__":
    main()
