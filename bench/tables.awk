# awk -v cpus=N -v medians=FILE -v table=NAME -f medians_read.awk -f tables.awk
#
# Tables of Markdown. Names: "short" for the project's README, "full" for the results, "programs" for
# those of whole programs.
function has(list, name) {
    return (list, name) in known
}
function heading(first, columns,    n, i, name, line) {
    n = split(columns, name, ";")
    line = "|---|"
    printf "| %s |", first
    for (i = 1; i <= n; i++) {
        printf " %s |", name[i]
        line = line "---:|"
    }
    printf "\n%s\n", line
}
function cell(metric, ours, kind, pattern, role, theirs,    ratio) {
    ratio = ratio_of(figure(metric, ours, pattern, kind, role), figure(metric, theirs, pattern, kind, role))
    printf " %s |", shown(ratio)
}
# Every pattern: this kind of ours to each of the peers.
function against(metric, ours, kind, role, peers,    n, i, p, name) {
    n = split(peers, name, " ")
    for (p = 1; p <= listed["patterns"]; p++) {
        printf "| %s |", listed["patterns", p]
        for (i = 1; i <= n; i++)
            cell(metric, ours, kind, listed["patterns", p], role, name[i])
        print ""
    }
}
function joined(words) {
    gsub(/ /, ";", words)
    return words
}
function others(    i, found) {
    for (i = 1; i <= listed["peers"]; i++)
        if (listed["peers", i] !~ /^(ours|ours-tbb|nothing)$/)
            found = found (found == "" ? "" : " ") listed["peers", i]
    return found
}
# A few patterns: the pair, which is the least there is to do; small blocks by the thousand; blocks of MiB; and
# blocks that another thread frees.
function short(    p, pattern) {
    heading("pattern", "jemalloc;mimalloc;tcmalloc;tbbmalloc;glibc;libmemkind0;PMEM: libmemkind0;" \
        "FIXED: libmemkind0;" cpus " threads: jemalloc;peak memory: jemalloc")
    for (p = 1; p <= listed["patterns"]; p++) {
        pattern = listed["patterns", p]
        if (pattern !~ /^(pair|batch|large|cross)$/)
            continue
        printf "| %s |", pattern
        cell("ns", "ours", "REGULAR", pattern, 1, "jemalloc")
        cell("ns", "ours", "REGULAR", pattern, 1, "mimalloc")
        cell("ns", "ours", "REGULAR", pattern, 1, "tcmalloc")
        cell("ns", "ours", "REGULAR", pattern, 1, "tbbmalloc")
        cell("ns", "ours", "REGULAR", pattern, 1, "glibc")
        cell("ns", "ours", "REGULAR", pattern, 1, "libmemkind0")
        cell("ns", "ours", "PMEM", pattern, 1, "libmemkind0")
        cell("ns", "ours", "FIXED", pattern, 1, "libmemkind0")
        cell("ns", "ours", "REGULAR", pattern, "all", "jemalloc")
        cell("peak_kib", "ours", "REGULAR", pattern, "all", "jemalloc")
        print ""
    }
}
function threads_text(threads) {
    return threads == 1 ? "one thread" : threads " threads"
}
function of_threads(threads,    k, kind) {
    printf "\n## %s\n", threads_text(threads)
    for (k = 1; k <= listed["kinds"]; k++) {
        kind = listed["kinds", k]
        if (kind ~ /^(malloc|nothing)$/)
            continue
        printf "\nTime, %s of ours, to the peers'%s:\n\n", kind, " (libmemkind0: of that kind)"
        heading("pattern", joined(others()))
        against("ns", "ours", kind, threads, others())
    }
    if (has("peers", "ours-tbb")) {
        printf "\nTime, REGULAR of ours with the heap manager TBB, to the peers':\n\n"
        heading("pattern", joined(others()))
        against("ns", "ours-tbb", "REGULAR", threads, others())
    }
    printf "\nPeak memory, REGULAR of ours, to the peers':\n\n"
    heading("pattern", joined(others()))
    against("peak_kib", "ours", "REGULAR", threads, others())
}
# What stands before a program, to jemalloc preloaded.
function programs(threads,    p, pattern) {
    printf "\n## %s\n\nTime of each, to that of jemalloc preloaded:\n\n", threads_text(threads)
    heading("pattern", "memkind-run --kind DEFAULT;rules about sizes;rules about callers")
    for (p = 1; p <= listed["patterns"]; p++) {
        pattern = listed["patterns", p]
        printf "| %s |", pattern
        cell("ns", "run", "malloc", pattern, threads, "jemalloc")
        cell("ns", "run-sizes", "malloc", pattern, threads, "jemalloc")
        cell("ns", "run-callers", "malloc", pattern, threads, "jemalloc")
        print ""
    }
}
function notes(    peer, pattern, kind, threads, key) {
    printf "\n## Cells without figures\n\n"
    for (peer = 1; peer <= listed["peers"]; peer++)
        for (kind = 1; kind <= listed["kinds"]; kind++)
            for (pattern = 1; pattern <= listed["patterns"]; pattern++)
                for (threads = 1; threads <= listed["threads"]; threads++) {
                    key = listed["peers", peer] SUBSEP listed["patterns", pattern] SUBSEP \
                        listed["kinds", kind] SUBSEP listed["threads", threads]
                    if (note[key] ~ /^failed/)
                        printf "- %s, %s, %s, %s: %s\n", listed["peers", peer], listed["kinds", kind],
                            listed["patterns", pattern], threads_text(listed["threads", threads]), note[key]
                }
}
BEGIN {
    read_medians(medians)
    if (table == "short") {
        short()
    } else if (table == "programs") {
        for (i = 1; i <= listed["threads"]; i++)
            programs(listed["threads", i])
        notes()
    } else {
        for (i = 1; i <= listed["threads"]; i++)
            of_threads(listed["threads", i])
        notes()
    }
}
