# For targets.awk, tables.awk and plots.awk: reads medians.csv, knows ratios.
#
# value[metric, peer, pattern, kind, threads]; lists of what there is, in order. Of a peer without kinds
# the kind is "malloc", whichever is asked for. Threads are asked for by number or by role: 1, 2, all (as
# many as CPUs), over (four times as many).
function learn(list, name) {
    if (!((list, name) in known)) {
        known[list, name] = 1
        listed[list, ++listed[list]] = name
    }
}
function read_medians(file,    line, field, names, i, n) {
    getline line <file
    n = split(line, names, ",")
    while ((getline line <file) > 0) {
        split(line, field, ",")
        for (i = 1; i <= n; i++)
            field[names[i]] = field[i]
        if (field["rounds"] > 0)
            for (i = 6; i <= 9; i++)
                value[names[i], field["peer"], field["pattern"], field["kind"], field["threads"]] = field[i]
        note[field["peer"], field["pattern"], field["kind"], field["threads"]] = field["note"]
        learn("peers", field["peer"])
        learn("patterns", field["pattern"])
        learn("kinds", field["kind"])
        learn("threads", field["threads"])
    }
    close(file)
}
function number_of(role) {
    return role == "all" ? cpus : role == "over" ? 4 * cpus : role
}
# "" if it was not measured.
function figure(metric, peer, pattern, kind, role,    threads) {
    threads = number_of(role)
    if ((metric, peer, pattern, kind, threads) in value)
        return value[metric, peer, pattern, kind, threads]
    if ((metric, peer, pattern, "malloc", threads) in value)
        return value[metric, peer, pattern, "malloc", threads]
    return ""
}
# Ours to theirs; "" if one of them was not measured.
function ratio_of(ours, theirs) {
    return ours == "" || theirs == "" || theirs + 0 == 0 ? "" : ours / theirs
}
# A ratio as people read it.
function shown(ratio) {
    if (ratio == "")
        return ""
    return sprintf(ratio < 0.095 ? "%.3f" : ratio < 9.95 ? "%.2f" : "%.0f", ratio)
}
