#!/usr/bin/env python3
"""Writes what a machine's kernel would show below /sys, from a description of a few lines.

usage: make_tree.py DESCRIPTION... FOLDER

For each NAME.machine, FOLDER/NAME/sys is the tree that src/kinds reads (nodes, their memory,
distances and access classes, huge pages, DAX devices, memory tiers), and FOLDER/NAME/settings has
the rest of the machine, for the test: lines "cpu VENDOR FAMILY MODEL", "brand TEXT", "allowed NODES" and
"set VARIABLE VALUE". FOLDER/NAME/proc is what drivers show below /proc. A description consists of these lines, # begins a comment:

  node N [cpus LIST] [memory SIZE]    a node that is online; SIZE like 64G, 512M
  series A-B [cpus COUNT] [memory SIZE]    as many nodes, each with COUNT CPUs of its own
  offline N                           one that is possible, and not online
  initiator N                         node N is a generic initiator: a GPU, a NIC
  distance N D...                     row of the SLIT, a number per online node
  distances NEAR FAR MODULO           all rows: NEAR where two numbers are equal modulo MODULO
  access1 N from LIST [bandwidth B] [latency L]    the firmware's numbers of node N; access0 alike.
                                      B is MB/s, L is ns, either R/W where they differ; LIST is "-"
                                      where the kernel lists no initiators
  accesses A-B modulo M bandwidth B latency L    access1 of each, from the node N modulo M
  hugepages N SIZE COUNT              huge pages reserved on a node
  dax NAME node N DRIVER at PATH      a DAX device: its driver (kmem: system RAM), its place below
                                      /sys/devices
  tier T LIST                         nodes of memory tier T
  cpu VENDOR FAMILY MODEL             what CPUID says; nothing otherwise
  brand TEXT                          likewise: the CPU's name, "Intel(R) Xeon(R) CPU Max 9480"
  gpu ADDRESS node N [STATUS]         NVIDIA's driver says that a GPU's memory is node N
  socket S LIST                       CPUs of a socket
  cache N SIZE                        memory that is a cache in front of node N
  allowed LIST                        the cpuset's nodes; all otherwise
  set VARIABLE VALUE                  the library's environment
  write FILE TEXT                     last of all, and below sys: a file that says something else
  remove FILE                         likewise: a file or folder that is not there
"""
import os
import pathlib
import shutil
import sys

NODES = "devices/system/node"
UNITS = {"M": 1 << 10, "G": 1 << 20, "T": 1 << 30}  # in KiB
DEVICE_SIZE = 16 << 30


def kibibytes(text):
    return int(text[:-1]) * UNITS[text[-1]]


def members(text):
    """The numbers of a list like 0,2-3; "-" is the empty one."""
    numbers = set()
    for part in text.split(",") if text != "-" else []:
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return sorted(numbers)


def ranges(numbers):
    """The reverse, as the kernel writes it."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def options(words):
    """["bandwidth", "5", "latency", "6"] as a dictionary."""
    return dict(zip(words[::2], words[1::2], strict=True))


class Machine:
    def __init__(self, folder):
        self.sys = folder / "sys"
        self.nodes = {}  # number: options
        self.offline, self.initiators, self.settings, self.last = [], [], [], []
        shutil.rmtree(folder, ignore_errors=True)
        (self.sys / NODES).mkdir(parents=True)

    def put(self, file, text):
        path = self.sys / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def link(self, file, target):
        path = self.sys / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def read_line(self, word, arguments):
        if word == "node":
            self.nodes[int(arguments[0])] = options(arguments[1:])
        elif word == "series":
            self.series(members(arguments[0]), options(arguments[1:]))
        elif word == "distances":
            self.distances(*map(int, arguments))
        elif word == "accesses":
            known = options(arguments[1:])
            for node in members(arguments[0]):
                self.access("access1", node, {**known, "from": str(node % int(known["modulo"]))})
        elif word == "offline":
            self.offline.append(int(arguments[0]))
        elif word == "initiator":
            self.initiators.append(int(arguments[0]))
        elif word == "distance":
            self.put(f"{NODES}/node{arguments[0]}/distance", " ".join(arguments[1:]))
        elif word in ("access0", "access1"):
            self.access(word, arguments[0], options(arguments[1:]))
        elif word == "hugepages":
            self.hugepages(arguments[0], kibibytes(arguments[1]), arguments[2])
        elif word == "dax":
            self.dax(arguments[0], **options(arguments[1:3]), driver=arguments[3],
                     **options(arguments[4:]))
        elif word == "tier":
            self.put(f"devices/virtual/memory_tiering/memory_tier{arguments[0]}/nodelist",
                     arguments[1])
        elif word == "gpu":
            self.put(f"../proc/driver/nvidia/gpus/{arguments[0]}/numa_status",
                     f"Node:      {arguments[2]}\nStatus:    {(arguments[3:] or ['online'])[0]}")
        elif word == "socket":
            for cpu in members(arguments[1]):
                self.put(f"devices/system/cpu/cpu{cpu}/topology/physical_package_id", arguments[0])
        elif word == "cache":
            self.put(f"{NODES}/node{arguments[0]}/memory_side_cache/index1/size",
                     kibibytes(arguments[1]) << 10)
        elif word in ("cpu", "brand", "allowed", "set"):
            self.settings.append(" ".join([word, *arguments]))
        elif word in ("write", "remove"):
            self.last.append([word, *arguments])
        else:
            raise ValueError("no such word")

    def series(self, numbers, known):
        for position, number in enumerate(numbers):
            self.nodes[number] = dict(known)
            if "cpus" in known:
                count = int(known["cpus"])
                self.nodes[number]["cpus"] = ranges(range(position * count, (position + 1) * count))

    # Comes behind all nodes.
    def distances(self, near, far, modulo):
        for node in self.nodes:
            row = [10 if other == node else near if other % modulo == node % modulo else far
                   for other in sorted(self.nodes)]
            self.put(f"{NODES}/node{node}/distance", " ".join(map(str, row)))

    def access(self, access, node, known):
        folder = f"{NODES}/node{node}/{access}/initiators"
        for initiator in members(known["from"]):
            self.link(f"{folder}/node{initiator}", f"../../../node{initiator}")
            self.link(f"{NODES}/node{initiator}/{access}/targets/node{node}",
                      f"../../../node{node}")
        for quantity in ("bandwidth", "latency"):
            read, _, write = known.get(quantity, "0").partition("/")
            self.put(f"{folder}/read_{quantity}", read)
            self.put(f"{folder}/write_{quantity}", write or read)

    def hugepages(self, node, size, count):
        folder = f"{NODES}/node{node}/hugepages/hugepages-{size}kB"
        for file, number in (("nr", count), ("free", count), ("surplus", 0)):
            self.put(f"{folder}/{file}_hugepages", number)
        self.put(f"kernel/mm/hugepages/hugepages-{size}kB/nr_overcommit_hugepages", 0)

    # "at" is a path, "node" a number.
    def dax(self, name, node, driver, at):
        place = f"devices/{at}/{name}"
        self.put(f"{place}/target_node", node)
        self.put(f"{place}/size", DEVICE_SIZE)
        self.link(f"{place}/driver", os.path.relpath(f"bus/dax/drivers/{driver}", place))
        (self.sys / f"bus/dax/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"bus/dax/devices/{name}", f"../../../{place}")

    def node_files(self):
        with_cpu = [n for n, known in self.nodes.items() if "cpus" in known]
        with_memory = [n for n, known in self.nodes.items() if "memory" in known]
        self.put(f"{NODES}/online", ranges(self.nodes))
        self.put(f"{NODES}/possible", ranges([*self.nodes, *self.offline]))
        self.put(f"{NODES}/has_cpu", ranges(with_cpu))
        self.put(f"{NODES}/has_memory", ranges(with_memory))
        self.put(f"{NODES}/has_normal_memory", ranges(with_memory))
        self.put(f"{NODES}/has_generic_initiator", ranges(self.initiators))
        for node, known in self.nodes.items():
            size = kibibytes(known.get("memory", "0M"))
            self.put(f"{NODES}/node{node}/cpulist", known.get("cpus", ""))
            self.put(f"{NODES}/node{node}/meminfo",
                     f"Node {node} MemTotal:       {size} kB\n"
                     f"Node {node} MemFree:        {size // 2} kB")

    def finish(self):
        self.node_files()
        for word, file, *text in self.last:
            if word == "write":
                self.put(file, " ".join(text))
            elif (self.sys / file).is_dir():
                shutil.rmtree(self.sys / file)
            else:
                (self.sys / file).unlink()
        (self.sys.parent / "settings").write_text("".join(f"{line}\n" for line in self.settings))


def make(description, folder):
    machine = Machine(folder)
    lines = description.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        try:
            if words:
                machine.read_line(words[0], words[1:])
        except (ValueError, KeyError, IndexError, TypeError) as error:
            sys.exit(f"{description}:{number}: {line}: {error}")
    machine.finish()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.splitlines()[2])
    for description in map(pathlib.Path, sys.argv[1:-1]):
        make(description, pathlib.Path(sys.argv[-1]) / description.stem)


main()
