# awk -v cpus=N -v medians=FILE -v cells=FILE -f medians_read.awk -f targets.awk targets.txt
#
# Every target of targets.txt: held or missed, the worst ratio and whose it is; as a table of Markdown. Each
# cell goes to the CSV file `cells`.
function trim(text) {
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    return text
}
function best_of(pattern, kind, role,    peers, patterns, kinds, roles, n, i, found, best) {
    split(part[3], names, " ")
    if (names[2] != "=")
        pattern = names[2]
    if (names[3] != "=")
        kind = names[3]
    if (names[4] != "=")
        role = names[4]
    n = split(names[1], peers, ",")
    best = ""
    for (i = 1; i <= n; i++) {
        found = figure(metric, peers[i], pattern, kind, role)
        if (found != "" && (best == "" || (lower ? found < best : found > best)))
            best = found
    }
    return best
}
function check(peer, pattern, kind, role,    ratio, held) {
    ratio = ratio_of(figure(metric, peer, pattern, kind, role), best_of(pattern, kind, role))
    if (ratio == "" || ((number_of(role), pattern, kind) in done))
        return
    done[number_of(role), pattern, kind] = 1
    held = lower ? ratio <= limit : ratio >= limit
    measured++
    holding += held
    printf "%s,%s,%s,%s,%d,%.4f,%s %s,%s\n", text, peer, pattern, kind, number_of(role), ratio, sign, limit,
        held ? "held" : "missed" >cells
    if (worst == "" || (lower ? ratio > worst : ratio < worst)) {
        worst = ratio
        where = pattern ", " kind ", " number_of(role) (number_of(role) == 1 ? " thread" : " threads")
    }
}
BEGIN {
    FS = "|"
    read_medians(medians)
    print "target,peer,pattern,kind,threads,ratio,wanted,result" >cells
    print "| target | wanted | worst | where | cells that hold |"
    print "|---|---|---|---|---|"
}
/^#/ || NF < 5 { next }
{
    for (i = 1; i <= 5; i++)
        part[i] = trim($i)
    text = part[1]
    gsub(/,/, ";", text)
    metric = part[4]
    split(part[5], relation, " ")
    sign = relation[1]
    limit = relation[2]
    lower = sign == "<="
    split(part[2], ours, " ")
    patterns = split(ours[2], pattern, ",")
    kinds = split(ours[3], kind, ",")
    roles = split(ours[4], role, ",")
    split("", done)
    measured = holding = 0
    worst = where = ""
    for (p = 1; p <= patterns; p++)
        for (k = 1; k <= kinds; k++)
            for (r = 1; r <= roles; r++)
                check(ours[1], pattern[p], kind[k], role[r])
    result = !measured ? "not measured" : holding == measured ? "held" : "**missed**"
    printf "| %s | %s %s | %s | %s | %s, %d of %d |\n", part[1], sign == "<=" ? "≤" : "≥", limit,
        shown(worst), where, result, holding, measured
}
