# Rounds to medians: scripts/bench's raw.csv in, medians.csv out, in the order of first appearance.
#
# ns is CPU time per operation where one thread runs, since what else the machine does is not in it, and
# elapsed time per operation of a CPU where several do, since threads that wait take no CPU time.
function median(values,    n, i, j, v, x) {
    n = split(values, v, " ")
    for (i = 2; i <= n; i++) {
        x = v[i]
        for (j = i - 1; j > 0 && v[j] + 0 > x + 0; j--)
            v[j + 1] = v[j]
        v[j + 1] = x
    }
    return n % 2 ? v[(n + 1) / 2] + 0 : (v[n / 2] + v[n / 2 + 1]) / 2
}
BEGIN {
    FS = OFS = ","
    print "peer", "pattern", "kind", "threads", "rounds", "ns", "cpu_ns", "operations_per_s", "peak_kib", "note"
}
FNR == 1 {
    for (i = 1; i <= NF; i++)
        column[$i] = i
    next
}
{
    cell = $column["peer"] "," $column["pattern"] "," $column["kind"] "," $column["threads"]
    if (!(cell in rounds)) {
        order[++cells] = cell
        rounds[cell] = 0
    }
    if ($column["operations"] == "") {
        notes[cell] = $column["note"]
        if (notes[cell] ~ /^failed/)
            failed[cell]++
        next
    }
    rounds[cell]++
    ns[cell] = ns[cell] " " ($column["threads"] == 1 ? $column["cpu_ns"] : $column["wall_ns"])
    cpu[cell] = cpu[cell] " " $column["cpu_ns"]
    rate[cell] = rate[cell] " " $column["operations_per_s"]
    peak[cell] = peak[cell] " " $column["peak_kib"]
}
END {
    for (i = 1; i <= cells; i++) {
        cell = order[i]
        note = notes[cell]
        if (failed[cell] && rounds[cell])
            note = note " (" failed[cell] " of " failed[cell] + rounds[cell] " rounds)"
        if (rounds[cell])
            printf "%s,%d,%.3f,%.3f,%.0f,%.0f,%s\n", cell, rounds[cell], median(ns[cell]), median(cpu[cell]),
                median(rate[cell]), median(peak[cell]), note
        else
            printf "%s,0,,,,,%s\n", cell, note
    }
}
