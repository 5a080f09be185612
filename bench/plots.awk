# awk -v cpus=N -v medians=FILE -v plot=NAME -f medians_read.awk -f plots.awk
#
# The numbers of a plot, for bars.gnuplot and lines.gnuplot: a line of names, then a line for each pattern
# (bars) or number of threads (lines: a block for each pattern). "?" is a figure that is not there.
function number(ratio) {
    return ratio == "" ? "?" : sprintf("%.4f", ratio)
}
# Kind of a peer that has kinds; others have none.
function bars(metric, role, peers, base,    n, i, p, name) {
    n = split(peers, name, " ")
    printf "pattern"
    for (i = 1; i <= n; i++)
        printf " %s", name[i]
    print ""
    for (p = 1; p <= listed["patterns"]; p++) {
        if (figure(metric, base, listed["patterns", p], "REGULAR", role) == "")
            continue
        printf "%s", listed["patterns", p]
        for (i = 1; i <= n; i++)
            printf " %s", number(ratio_of(figure(metric, name[i], listed["patterns", p], "REGULAR", role),
                figure(metric, base, listed["patterns", p], "REGULAR", role)))
        print ""
    }
}
function kinds(    k, p) {
    printf "pattern"
    for (k = 1; k <= listed["kinds"]; k++)
        if (listed["kinds", k] !~ /^(malloc|nothing)$/)
            printf " %s", listed["kinds", k]
    print ""
    for (p = 1; p <= listed["patterns"]; p++) {
        printf "%s", listed["patterns", p]
        for (k = 1; k <= listed["kinds"]; k++)
            if (listed["kinds", k] !~ /^(malloc|nothing)$/)
                printf " %s", number(ratio_of(figure("ns", "ours", listed["patterns", p], listed["kinds", k], 1),
                    figure("ns", "libmemkind0", listed["patterns", p], listed["kinds", k], 1)))
        print ""
    }
}
# Throughput; plain jemalloc's with one thread is 1.
function lines(peers, patterns,    n, m, i, p, t, name, pattern, base) {
    n = split(peers, name, " ")
    m = split(patterns, pattern, " ")
    for (p = 1; p <= m; p++) {
        base = figure("operations_per_s", "jemalloc", pattern[p], "malloc", 1)
        printf "%s", pattern[p]
        for (i = 1; i <= n; i++)
            printf " %s", name[i]
        print ""
        for (t = 1; t <= listed["threads"]; t++) {
            printf "%s", listed["threads", t]
            for (i = 1; i <= n; i++)
                printf " %s", number(ratio_of(figure("operations_per_s", name[i], pattern[p], "REGULAR",
                    listed["threads", t]), base))
            print ""
        }
        printf "\n\n"
    }
}
BEGIN {
    read_medians(medians)
    if (plot == "one-thread")
        bars("ns", 1, "ours mimalloc tcmalloc tbbmalloc glibc libmemkind0", "jemalloc")
    else if (plot == "memory")
        bars("peak_kib", "all", "ours mimalloc tcmalloc tbbmalloc glibc libmemkind0", "jemalloc")
    else if (plot == "tbb")
        bars("ns", 1, "ours-tbb", "tbbmalloc")
    else if (plot == "kinds")
        kinds()
    else if (plot == "scaling")
        lines("ours jemalloc mimalloc tcmalloc tbbmalloc glibc libmemkind0",
            "pair batch churn medium large cross producer larson")
}
