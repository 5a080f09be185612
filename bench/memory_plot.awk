# awk -v figure=NAME -f memory_plot.awk raw.csv: for memory.gnuplot, a block of each scenario and peer that has
# the figure more than once: its name and points of seconds and value, KiB as MiB.
BEGIN { FS = "," }
$4 == figure {
    key = $2 " " $1
    if (!(key in count))
        order[++keys] = key
    count[key]++
    points[key] = points[key] $3 " " (figure ~ /_kib$/ ? $5 / 1024 : $5) "\n"
}
END {
    for (i = 1; i <= keys; i++)
        if (count[order[i]] > 1)
            printf "# %s\n%s\n\n", order[i], points[order[i]]
}
