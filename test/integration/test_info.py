#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
"""memkind-info, memkind-hbw-nodes and memkind-auto-dax-kmem-nodes, as a script sees them.

On this machine, as they are installed; and on all those of test/machines, with builds that say what
they would say there (elsewhere.c): the JSON must hold all of NAME.kinds, and the tables all of the
JSON.

usage: test_info.py TOOLS ELSEWHERE SOURCE_DIR [some | measure]
    some: every fourth of those machines; measure: nothing but --measure
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TOOLS, ELSEWHERE, SOURCE = sys.argv[1:4]
PART = (sys.argv[4:] or ["all"])[0]
MACHINES = os.path.join(ELSEWHERE, "../machines")
NODES = "/sys/devices/system/node"
failures = 0


def expect(condition, message):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {message}")


def run(tool, *arguments, machine=None, variables=None, stdout=subprocess.PIPE):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMKIND_")}
    environment.update(variables or {})
    program = os.path.join(TOOLS, tool)
    if machine:
        environment["MEMKIND_TEST_MACHINE"] = machine
        program = os.path.join(ELSEWHERE, tool + "-elsewhere")
    done = subprocess.run([program, *arguments], stdout=stdout, stderr=subprocess.PIPE,
                          env=environment, text=True, check=False)
    # A sanitizer's report is the business of ctest.
    if "Sanitizer" in done.stderr or "runtime error" in done.stderr:
        print(done.stderr)
    return done


def report_of(machine=None, *arguments, variables=None):
    done = run("memkind-info", "--json", *arguments, machine=machine, variables=variables)
    expect(done.returncode == 0, f"--json on {machine}: {done.returncode}, {done.stderr}")
    return json.loads(done.stdout)


# --- the JSON as the lines of NAME.kinds ------------------------------------------------------------

def size_text(size):
    for shift, unit in ((30, "GiB"), (20, "MiB")):
        if size % (1 << shift) == 0:
            return f"{size >> shift} {unit}"
    return f"{size >> 10} KiB"


def list_text(numbers):
    """As the kernel lists them: 0,2-3."""
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges) or "-"


def node_line(node):
    line = (f"node {node['node']}: {size_text(node['size'])}, {size_text(node['free'])} free, "
            f"CPUs {node['cpus'] or 'none'}{'' if node['usable'] else ', not for us'}; "
            f"{node['type']} ({node['source'] or 'nobody'})")
    line += f", {node['device']}" if node["device"] else ""
    line += ", HBW" if node["high_bandwidth"] else ""
    line += ", DAX_KMEM" if node["dax"] else ""
    line += f", tier {node['tier']}" if node["tier"] is not None else ""
    if node["type"] != "no memory":
        line += (f"; {node['bandwidth'] or 0} MB/s, {node['latency'] or 0} ns "
                 f"({node['numbers_source'] or 'nobody'}), "
                 f"near CPUs of {list_text(node['near_cpus_of'])}")
    return line


def group_texts(kind, everybody, nobody):
    """"all: 2" or "0: 2", "1: 3"."""
    for group in kind["nodes"]:
        cpus = everybody if len(kind["nodes"]) == 1 else list_text(group["cpu_nodes"]) + ": "
        yield cpus + (nobody.format(group["error"]) if group["error"] else list_text(group["nodes"]))


def kind_line(kind):
    name = kind["name"].removeprefix("MEMKIND_")
    if not kind["available"]:
        return f"{name}: error {kind['error']}: {kind['why']}"
    huge = re.search("HUGETLB|GBTLB", name)
    return (f"{name}: {kind['policy']}{', ' + size_text(kind['page_size']) + ' pages' if huge else ''}, "
            f"{size_text(kind['capacity'])}{', local' if kind['local'] else ''}; "
            f"{', '.join(group_texts(kind, 'all: ', 'error {}'))} ({kind['why']})")


# --- the JSON as cells of the tables ----------------------------------------------------------------

def bytes_text(size):
    value = float(size)
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.{1 if value < 10 and value > int(value) else 0}f} {units[0]}"


def node_cells(node):
    sources = [node["source"]]
    if node["numbers_source"] != node["source"]:
        sources.append(node["numbers_source"])
    kind = node["type"] + (", " + node["device"] if node["device"] else "")
    if not node["usable"] and node["type"] != "no memory":
        kind += ", not for this process"
    cpus = node["cpus"] or "-"
    return {
        "node": str(node["node"]),
        "CPUs": cpus if len(cpus) <= 40 else cpus[:40] + "...",
        "size": bytes_text(node["size"]),
        "free": bytes_text(node["free"]),
        "bandwidth": f"{node['bandwidth']} MB/s" if node["bandwidth"] else "-",
        "latency": f"{node['latency']} ns" if node["latency"] else "-",
        "tier": "" if node["tier"] is None else str(node["tier"]),
        "type": kind,
        "known from": ", ".join(filter(None, sources)) or "-",
    }


def kind_cells(kind, special):
    """special: reasons that stand above the table."""
    available = kind["available"]
    why = kind["why"]
    if not available:
        why = "not available: " + ("see above" if why in special else why)
    return {
        "kind": kind["name"],
        "nodes": ", ".join(group_texts(kind, "", "none")) if available else "-",
        "policy": kind["policy"],
        "pages": bytes_text(kind["page_size"]),
        "capacity": bytes_text(kind["capacity"]) if available else "-",
        "known from": why,
    }


def rows(lines, headings):
    """A table's rows as cells. Columns end where no line has text."""
    text = [line for line in lines if line]
    edges, start = [], 0
    for at in range(1, max(map(len, text))):
        if all(len(line) <= at + 1 or line[at - 1:at + 1] == "  " for line in text) and \
                any(len(line) > at + 1 and line[at + 1] != " " for line in text):
            edges.append((start, at))
            start = at + 1
    edges.append((start, None))
    cells = [[line[a:b].strip() for a, b in edges] for line in text]
    expect(cells and set(cells[0]) <= set(headings), f"a heading is unknown: {cells[0]}")
    return [dict(zip(cells[0], row)) for row in cells[1:]]


def compare_table(what, lines, expected):
    """A column that is empty throughout is left out."""
    found = rows(lines, expected[0])
    used = [name for name in expected[0] if any(row[name] for row in expected)]
    expected = [{name: row[name] for name in used} for row in expected]
    expect(len(found) == len(expected), f"{what}: {len(found)} rows")
    for left, right in zip(expected, found):
        expect(left == right, f"{what}:\n  expected {left}\n  said     {right}")


def special_line(name, special):
    if not special["available"]:
        return f"{name} memory: none: {special['why']}"
    return (f"{name} memory: node{'' if len(special['nodes']) == 1 else 's'} "
            f"{list_text(special['nodes'])} ({special['why']})")


# --- the pictures -----------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def users(data):
    """The short names of available kinds, with the nodes that they mean for some CPU."""
    return {kind["name"].removeprefix("MEMKIND_"): {node for group in kind["nodes"] for node in group["nodes"]}
            for kind in data["kinds"] if kind["available"]}


def compare_labels(what, data, labels):
    """`labels`: the kinds named at each node. A kind that is named at one is at all that it uses."""
    used = users(data)
    named = set().union(*labels.values())
    expect(named <= set(used), f"{what}: named, and not available: {named - set(used)}")
    for node, found in labels.items():
        wanted = {kind for kind in named & set(used) if node in used[kind]}
        expect(set(found) == wanted and len(found) == len(wanted), f"{what}: node {node}: {found}, not {wanted}")


def whole_words(text):
    return set(re.findall(r"[A-Z_0-9]+", text))


def rectangle(element):
    return [int(element.get(name)) for name in ("x", "y", "width", "height")]


def check_boxes(what, root, boxes):
    """All is inside the picture, and no node's box on another."""
    width, height = int(root.get("width")), int(root.get("height"))
    for element in root.iter(SVG + "rect"):
        x, y, wide, high = rectangle(element)
        expect(x >= 0 and y >= 0 and x + wide <= width and y + high <= height, f"{what}: outside: {x}, {y}")
    for element in root.iter(SVG + "text"):
        expect(int(element.get("y")) <= height, f"{what}: text outside: {element.text}")
    for i, (x, y, wide, high) in enumerate(boxes):
        for left, top, *_ in boxes[:i]:
            expect(abs(x - left) >= wide or abs(y - top) >= high, f"{what}: boxes overlap at {x}, {y}")


def check_svg(machine, data):
    done = run("memkind-info", "--svg", "-", machine=machine)
    expect(done.returncode == 0 and done.stdout.isascii(), f"--svg on {machine}: {done.returncode}, {done.stderr}")
    root = xml.etree.ElementTree.fromstring(done.stdout)
    groups = {group.get("id"): group for group in root.iter(SVG + "g")}
    expect(list(groups) and set(groups) == {f"node{node['node']}" for node in data["nodes"]},
           f"--svg on {machine}: nodes {sorted(groups)}")
    colour = {node["node"]: groups[f"node{node['node']}"].find(SVG + "rect").get("fill") for node in data["nodes"]}
    others = {colour[node["node"]] for node in data["nodes"] if node["type"] != "GPU"}
    for node in data["nodes"]:
        expect(node["type"] != "GPU" or colour[node["node"]] not in others,
               f"--svg on {machine}: GPU node {node['node']} has the colour of another type")
    labels = {}
    for node in data["nodes"]:
        group = groups[f"node{node['node']}"]
        texts = [element.text for element in group.iter(SVG + "text")]
        expect(texts[0] == f"node {node['node']}" and texts[1].startswith(node["type"][:25]),
               f"--svg on {machine}: {texts}")
        if node["bandwidth"]:
            expect(any(f"{node['bandwidth']} MB/s" in text for text in texts), f"--svg on {machine}: {texts}")
        labels[node["node"]] = [text for text in texts[2:] if re.fullmatch("[A-Z_]+", text)]
    compare_labels(f"--svg on {machine}", data, labels)
    words = whole_words(" ".join(element.text or "" for element in root.iter(SVG + "text")))
    expect(set(users(data)) <= words, f"--svg on {machine}: not there: {set(users(data)) - words}")
    check_boxes(f"--svg on {machine}", root, [rectangle(group.find(SVG + "rect")) for group in groups.values()])


def check_graph(machine, data):
    labels, node, place = {}, None, None
    text = run("memkind-info", "--graph", machine=machine, variables={"LC_ALL": "C"}).stdout
    expect(text.isascii(), f"--graph on {machine}: no ASCII in the locale C")
    tree, _, families = text.split("\n\n", 1)[1].partition("\n\n")
    for line in tree.splitlines()[1:]:
        line = re.sub(r"^[ |`-]*", "", line)
        match = re.match(r"node (\d+): (.*)", line)
        if match:
            node = int(match[1])
            labels[node] = []
            expect(node not in place, f"--graph on {machine}: node {node} twice")
            place.add(node)
        elif re.match("(CPUs |near )", line):
            place = place or set()
        else:
            labels[node] += re.findall("[A-Z_]+", line)
    expect(set(labels) == {node["node"] for node in data["nodes"]}, f"--graph on {machine}: {sorted(labels)}")
    compare_labels(f"--graph on {machine}", data, labels)
    words = whole_words(families)
    expect(set(users(data)) <= words, f"--graph on {machine}: not there: {set(users(data)) - words}")
    pretty = run("memkind-info", "--graph", machine=machine, variables={"LC_ALL": "C.UTF-8"}).stdout
    for stroke, plain in (("├── ", "|-- "), ("└── ", "`-- "), ("│   ", "|   ")):
        pretty = pretty.replace(stroke, plain)
    expect(pretty == text, f"--graph on {machine} in UTF-8:\n{pretty}")


def check_many_nodes():
    """Pictures of 128 nodes: 16 with CPUs, each with seven memory-only ones beside it."""
    with tempfile.TemporaryDirectory(dir=MACHINES) as folder:
        description = os.path.join(folder, "many.machine")
        with open(description, "w", encoding="ascii") as file:
            for node in range(128):
                cpus = f"cpus {8 * node}-{8 * node + 7} " if node < 16 else ""
                near = " ".join("10" if other == node else "15" if other % 16 == node % 16 else "30"
                                for other in range(128))
                file.write(f"node {node} {cpus}memory 4G\ndistance {node} {near}\n")
        subprocess.run([sys.executable, os.path.join(SOURCE, "test/machines/make_tree.py"), description, folder],
                       check=True)
        machine = os.path.relpath(os.path.join(folder, "many"), MACHINES)
        data = report_of(machine)
        expect(len(data["nodes"]) == 128, f"many nodes: {len(data['nodes'])}")
        check_svg(machine, data)
        check_graph(machine, data)


def check_picture_options():
    """Of one kind, or of none; into a file, and where none can be."""
    info = "memkind-info"
    done = run(info, "--graph", "--kind", "hbw", machine="spr-hbm-snc4")
    expect("HBW" in whole_words(done.stdout) and "REGULAR" not in done.stdout, f"--graph --kind: {done.stdout}")
    done = run(info, "--graph", "--nodes", machine="spr-hbm-snc4")
    expect("node 15: high-bandwidth, 16 GiB" in done.stdout and "HBW" not in done.stdout, f"{done.stdout}")
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "picture.svg")
        done = run(info, "--svg", file, machine="knl-flat-snc4")
        with open(file, encoding="ascii") as stream:
            same = stream.read() == run(info, "--svg", "-", machine="knl-flat-snc4").stdout
        expect(done.returncode == 0 and not done.stdout and same, f"--svg FILE: {done}")
        done = run(info, "--svg", os.path.join(folder, "none", "x.svg"))
        expect(done.returncode == 1 and "No such file" in done.stderr, f"--svg nowhere: {done}")
    for options in (("--svg", "/dev/full"), ("--svg", "-"), ("--graph",)):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = run(info, *options, stdout=full)
        expect(done.returncode == 1 and "No space left" in done.stderr, f"{options} to a full device: {done}")


# --- machines that are not here ---------------------------------------------------------------------

def check_lists(machine, data):
    """The two small tools: the nodes, or an exit status and no word."""
    for tool, special, none in (("memkind-hbw-nodes", "high_bandwidth", 1),
                                ("memkind-auto-dax-kmem-nodes", "dax", 3)):
        done = run(tool, machine=machine)
        if data[special]["available"]:
            wanted = (0, ",".join(map(str, data[special]["nodes"])) + "\n")
        else:
            wanted = (none, "")
        expect((done.returncode, done.stdout) == wanted,
               f"{tool} on {machine}: {done.returncode}, {done.stdout!r}, not {wanted}")


def check_machine(machine):
    data = report_of(machine)
    with open(os.path.join(SOURCE, "test/machines", machine + ".kinds"), encoding="ascii") as file:
        wanted = file.read().splitlines()
    said = [node_line(node) for node in data["nodes"]] + [kind_line(kind) for kind in data["kinds"]]
    for left, right in zip(wanted, said):
        expect(left == right, f"{machine}:\n  expected {left}\n  said     {right}")
    expect(len(wanted) == len(said), f"{machine}: {len(said)} lines")

    parts = run("memkind-info", machine=machine).stdout.split("\n\n")
    expect(len(parts) == 4, f"{machine}: {len(parts)} parts")
    compare_table(machine, parts[1].splitlines(), [node_cells(node) for node in data["nodes"]])
    special = [data[name]["why"] for name in ("high_bandwidth", "dax") if not data[name]["available"]]
    compare_table(machine, parts[3].splitlines(), [kind_cells(kind, special) for kind in data["kinds"]])
    expect(parts[2].splitlines() == [special_line("high-bandwidth", data["high_bandwidth"]),
                                     special_line("DAX", data["dax"])],
           f"{machine}: {parts[2]}")
    check_lists(machine, data)
    check_svg(machine, data)
    check_graph(machine, data)


def check_machines():
    names = sorted(name.removesuffix(".kinds") for name in os.listdir(os.path.join(SOURCE, "test/machines"))
                   if name.endswith(".kinds"))
    expect(len(names) >= 20, f"only {len(names)} machines")
    for name in names[::4 if PART == "some" else 1]:
        check_machine(name)


def check_plain_words():
    """What issue and manual promise, for people who look at it."""
    done = run("memkind-info", machine="flat-2-sockets")
    lines = [line for line in done.stdout.splitlines() if line.startswith("high-bandwidth memory: ")]
    expect(lines == ["high-bandwidth memory: none: all memory is on nodes with CPUs: "
                     "there is no other to be faster"], f"why there is no HBM: {lines}")
    done = run("memkind-hbw-nodes", machine="spr-hbm-snc4")
    expect(done.stdout == "8,9,10,11,12,13,14,15\n", f"HBM nodes: {done.stdout!r}")


def check_escapes():
    """Whatever sysfs says, the JSON can be read."""
    odd = b'0-1"\\\x01\t\x7f\xff\xc3('
    with tempfile.TemporaryDirectory(dir=ELSEWHERE) as folder:
        machine = os.path.join(folder, "odd")
        shutil.copytree(os.path.join(MACHINES, "flat-2-sockets"), machine, symlinks=True)
        with open(os.path.join(machine, "sys/devices/system/node/node0/cpulist"), "wb") as file:
            file.write(odd + b"\n")
        data = report_of(os.path.relpath(machine, MACHINES))
        root = xml.etree.ElementTree.fromstring(
            run("memkind-info", "--svg", "-", machine=os.path.relpath(machine, MACHINES)).stdout)
        expect('CPUs 0-1"\\???\xff\xc3( (node 0)' in [element.text for element in root.iter(SVG + "text")],
               "odd CPUs in SVG")
        expect(data["nodes"][0]["cpus"] == odd.decode("latin-1"), f"odd CPUs: {data['nodes'][0]['cpus']!r}")


def check_misplaced():
    """There, mbind does nothing; --check must find that out, and what the kernel refuses."""
    for machine, kind, status, words in (
            ("flat-2-sockets", "regular", 0, "ok, 4 pages on node"),
            ("flat-2-sockets", "interleave", 1, "interleaved over node"),
            ("spr-hbm-snc4", "hbw", 1, "4 of 4 pages elsewhere, used: node"),
            ("spr-hbm-snc4", "hbw_preferred", 1, "4 of 4 pages elsewhere"),
            ("flat-2-sockets", "hbw", 3, "not available: all memory is on nodes with CPUs")):
        done = run("memkind-info", "--kind", kind, "--check", "16K", machine=machine)
        expect(done.returncode == status and words in done.stdout,
               f"{kind} on {machine}: {done.returncode}, {done.stdout}{done.stderr}")


def check_measure_elsewhere():
    """Memory and CPUs that are not to be had are errors, and nothing is concluded."""
    for machine, variables, words in (
            ("flat-2-sockets", {}, "node 1: a page is not there but on node 0"),
            ("flat-2-sockets", {}, "node 1: none of its CPUs is for this process"),
            ("flat-2-sockets", {"MEMKIND_TEST_REFUSAL": "1"},
             "node 0: memory cannot be bound to it (mbind): Operation not permitted"),
            ("cpuset-without-hbw", {}, "its memory is not for this process (cpuset)")):
        done = run("memkind-info", "--measure", "--measure-size", "1M", "--seconds", "1", machine=machine,
                   variables=variables)
        expect(done.returncode == 1 and words in done.stderr, f"--measure on {machine}: {done}")
        expect("none: not everything was measured" in done.stdout and "export" not in done.stdout,
               f"--measure on {machine}: {done.stdout}")


# --- this machine -----------------------------------------------------------------------------------

def check_here():
    data = report_of()
    with open(NODES + "/online", encoding="ascii") as file:
        online = file.read().strip()
    expect(list_text([node["node"] for node in data["nodes"]]) == online, f"nodes online: {online}")
    for node in data["nodes"]:
        with open(f"{NODES}/node{node['node']}/cpulist", encoding="ascii") as file:
            cpus = file.read().strip()
        expect((node["cpus"] or "") == cpus[:255], f"CPUs of node {node['node']}: {node['cpus']}")
    expect(len(data["kinds"]) == 26, f"{len(data['kinds'])} kinds")
    check_lists(None, data)
    for kind in data["kinds"]:
        check_kind_here(kind)
    with_hbw = report_of(variables={"MEMKIND_HBW_NODES": online})
    expect(with_hbw["high_bandwidth"]["available"], "MEMKIND_HBW_NODES does nothing")
    done = run("memkind-hbw-nodes", variables={"MEMKIND_HBW_NODES": "4711"})
    expect(done.returncode == 1 and not done.stdout and "MEMKIND_HBW_NODES" in done.stderr,
           f"wrong MEMKIND_HBW_NODES: {done}")


def check_kind_here(kind):
    """Huge pages may be few, or be taken meanwhile by who else runs here."""
    done = run("memkind-info", "--kind", kind["name"], "--check", "1M")
    if not kind["available"]:
        wanted = (3,)
    elif kind["page_size"] > 1 << 20:
        wanted = (0, 1, 3)
    else:
        wanted = (0,)
    expect(done.returncode in wanted, f"{kind['name']}: {done.returncode}, {done.stdout}")
    expect(done.stdout.startswith(kind["name"]), f"--check: {done.stdout}")


def check_measure():
    """Sane figures of every pair; which they are is nobody's business."""
    data = report_of()
    wanted = {(cpus["node"], memory["node"]) for cpus in data["nodes"] if cpus["cpus"]
              for memory in data["nodes"] if memory["size"]}
    done = run("memkind-info", "--measure", "--json", "--measure-size", "8M", "--seconds", "1")
    expect(done.returncode == 0, f"--measure: {done}")
    said = json.loads(done.stdout)
    expect(set(said) == {"version", "heap_manager", "measured"}, f"--measure --json: {set(said)}")
    said = said["measured"]
    expect({(pair["cpu_node"], pair["node"]) for pair in said["pairs"]} == wanted and
           len(said["pairs"]) == len(wanted), f"--measure: pairs {said['pairs']}")
    for pair in said["pairs"]:
        expect(pair["bandwidth"] > 0 and pair["latency"] > 0 and 0 < pair["size"] <= 8 << 20, f"--measure: {pair}")
    high = said["high_bandwidth"]
    expect(high["available"] == bool(high["nodes"]) == bool(said["export"]), f"--measure: {said}")
    # With a threshold that any memory has, the line to export is there and can be used.
    done = run("memkind-info", "--measure", "--measure-size", "8M", "--seconds", "1",
               variables={"MEMKIND_HBW_THRESHOLD": "1", "MEMKIND_HBW_NODES": "4711"})
    line = done.stdout.splitlines()[-1]
    expect(done.returncode == 0 and line.startswith("export MEMKIND_HBW_NODES="), f"--measure: {done}")
    name, _, value = line.removeprefix("export ").partition("=")
    expect(report_of(variables={name: value})["high_bandwidth"]["available"], f"--measure: {line}")


def check_options():
    info = "memkind-info"
    parts = {(): 4, ("--nodes",): 3, ("--kinds",): 3, ("--nodes", "--kinds"): 4,
             ("--kind", "MEMKIND_REGULAR"): 2, ("--nodes", "--kind", "Regular"): 4}
    for options, count in parts.items():
        done = run(info, *options)
        expect(done.returncode == 0 and len(done.stdout.split("\n\n")) == count,
               f"{options}: {done.returncode}, {done.stdout}")
    for options, members in ((("--nodes",), {"nodes", "high_bandwidth", "dax"}), (("--kinds",), {"kinds"}),
                             (("--kind", "hbw"), {"kinds"})):
        expect(set(report_of(None, *options)) == members | {"version", "heap_manager"}, f"--json {options}")
    names = [kind["name"] for kind in report_of(None, "--kind", "memkind_hbw")["kinds"]]
    expect(names == ["MEMKIND_HBW"], f"--kind hbw: {names}")

    done = run(info, "--version")
    expect((done.returncode, done.stdout) == (0, f"memkind-info {report_of()['version']}\n"), f"{done}")
    expect(run(info, "-V").stdout == done.stdout, "-V")
    done = run(info, "--help")
    expect(done.returncode == 0 and run(info, "-h").stdout == done.stdout, f"{done}")
    with open(os.path.join(SOURCE, "man/memkind-info.1"), encoding="ascii") as file:
        manual = file.read()
    explained = set(re.findall(r"^\.It Fl -([\w-]+)", manual, re.M))
    expect(explained == set(re.findall(r"^  --([\w-]+)", done.stdout, re.M)), f"in the manual: {explained}")


def check_sizes():
    for size, said in (("1", "1 B"), ("5000", "4.9 KiB"), ("64k", "64 KiB"), ("64KiB", "64 KiB"),
                       ("1M", "1 MiB"), ("1mib", "1 MiB")):
        done = run("memkind-info", "--kind", "default", "--check", size)
        expect(done.returncode == 0 and f", {said}: ok, " in done.stdout, f"--check {size}: {done}")
    done = run("memkind-info", "--kind", "default", "--check", "1000000T")
    expect(done.returncode == 1 and "allocation failed" in done.stdout, f"too much: {done}")


def check_misuse():
    for options in (("--what",), ("-x",), ("nodes",), ("--",  "x"), ("--kind",), ("--kind", "nothing"),
                    ("--kind", ""), ("--kind", "MEMKIND_"), ("--check",), ("--check", "1M"),
                    ("--kind", "hbw", "--check", "1M", "--json"), ("--nodes=1",),
                    ("--kind", "hbw", "--check", "1M", "--nodes"), ("--svg",), ("--svg", ""),
                    ("--measure", "--nodes"), ("--measure", "--kind", "hbw"), ("--measure", "--graph"),
                    ("--measure", "--svg", "-"), ("--seconds", "1"), ("--measure-size", "1M"),
                    ("--measure", "--kind", "hbw", "--check", "1M"), ("--measure", "--measure-size", "0"),
                    *(("--measure", "--seconds", text) for text in ("", "0", "-1", "1.5", "x", "86401", "1s")),
                    ("--graph", "--json"), ("--svg", "-", "--graph"), ("--svg", "-", "--json"),
                    ("--kind", "hbw", "--check", "1M", "--graph"), ("--kind", "hbw", "--check", "1M", "--svg", "-"),
                    *(("--kind", "default", "--check", size)
                      for size in ("", "0", "-1", "x", "1X", "1MB", "1KK", " 1", "9999999T",
                                   "99999999999999999999"))):
        done = run("memkind-info", *options)
        expect(done.returncode == 2 and not done.stdout and done.stderr.startswith(("memkind-info: ", TOOLS)),
               f"{options}: {done}")
    for tool, status in (("memkind-hbw-nodes", 2), ("memkind-auto-dax-kmem-nodes", 0)):
        for option in ("-h", "--help"):
            done = run(tool, option)
            expect(done.returncode == status and tool in done.stdout, f"{option}: {done}")
        for options in (("-x",), ("",), ("--",), ("--help", "-h"), ("--version",)):
            done = run(tool, *options)
            expect(done.returncode == 2 and done.stdout.count("\n") == 1 and options[0] in done.stdout,
                   f"{options}: {done}")
    with open("/dev/full", "w", encoding="ascii") as full:
        for tool, status in (("memkind-info", 1), ("memkind-hbw-nodes", 1), ("memkind-auto-dax-kmem-nodes", 3)):
            done = run(tool, stdout=full, variables={"MEMKIND_HBW_NODES": "all", "MEMKIND_DAX_KMEM_NODES": "all"})
            expect(done.returncode == status, f"{tool} to a full device: {done}")


if PART != "measure":
    check_machines()
    check_plain_words()
    check_escapes()
    check_misplaced()
    check_many_nodes()
    check_picture_options()
    check_here()
    check_options()
    check_sizes()
    check_misuse()
check_measure_elsewhere()
check_measure()
print("memkind-info: " + (f"{failures} failures" if failures else "all is well"))
sys.exit(failures > 0)
