# awk -v summary=FILE -f memory.awk scenarios.txt raw.csv: a table of scenarios and peers in Markdown, and the
# same as CSV. A scenario of memory has its peak and its end; one of a limit, what is usable in the end (drift:
# the least of the last half), and how many times slower the slowest part was than the first.
function cell(scenario, peer,    key) {
    key = scenario SUBSEP peer
    if (key in peak) {
        print scenario ",peak_mib," peer "," peak[key] / 1024 >summary
        print scenario ",end_mib," peer "," end[key] / 1024 >summary
        return sprintf("%.0f / %.0f", peak[key] / 1024, end[key] / 1024)
    }
    if (!(key in usable))
        return key in note ? "-" : ""
    print scenario ",usable_percent," peer "," usable[key] >summary
    if (!(key in slowest))
        return sprintf("%.0f %%", usable[key])
    print scenario ",slower," peer "," first[key] / slowest[key] >summary
    return sprintf("%.0f %%, %.1f", usable[key], first[key] / slowest[key])
}

# Of ours at the end, to the best of jemalloc and libmemkind0; a MiB less or more is no difference.
function against(scenario,    best, ours, other, i, peer) {
    split("jemalloc libmemkind0", other, " ")
    best = -1
    for (i = 1; i <= 2; i++) {
        peer = scenario SUBSEP other[i]
        if (peer in end && (best < 0 || end[peer] < best))
            best = end[peer]
    }
    if (best < 0 || !((scenario SUBSEP "ours") in end))
        return ""
    ours = end[scenario, "ours"]
    return sprintf("%.2f", ours <= best + 1024 ? (ours < best ? ours / (best ? best : 1) : 1) : ours / (best + 1))
}

FILENAME ~ /scenarios\.txt$/ {
    name = $1
    order[++scenarios] = name
    $1 = ""
    what[name] = substr($0, 2)
    next
}
FNR == 1 { FS = ","; next }
{
    split($0, field, ",")
    key = field[2] SUBSEP field[1]
    value = field[5] + 0
    if (!(field[1] in known)) {
        known[field[1]] = 1
        peers[++peer_count] = field[1]
    }
    seen[field[2]] = 1
    if (field[6] != "") {
        note[key] = field[6]
        failed[key] = 1
    } else if (field[4] == "resident_kib") {
        if (!(key in peak) || value > peak[key])
            peak[key] = value
        end[key] = value
    } else if (field[4] == "usable_percent") {
        parts[key, ++part_count[key]] = value
    } else if (field[4] == "rate") {
        if (!(key in first))
            first[key] = slowest[key] = value
        if (value < slowest[key])
            slowest[key] = value
    }
}

END {
    for (key in failed) {
        delete peak[key]
        delete end[key]
        delete part_count[key]
        delete slowest[key]
    }
    for (key in part_count) {
        for (i = int(part_count[key] / 2) + 1; i <= part_count[key]; i++)
            if (!(key in usable) || parts[key, i] < usable[key])
                usable[key] = parts[key, i]
    }
    print "scenario,figure,peer,value" >summary
    line = "| scenario |"
    rule = "|---|"
    for (i = 1; i <= peer_count; i++) {
        line = line " " peers[i] " |"
        rule = rule "---:|"
    }
    print line " ours / best |"
    print rule "---:|"
    for (i = 1; i <= scenarios; i++) {
        if (!(order[i] in seen))
            continue
        line = "| " order[i] ": " what[order[i]] " |"
        for (j = 1; j <= peer_count; j++)
            line = line " " cell(order[i], peers[j]) " |"
        print line " " against(order[i]) " |"
    }
}
