# gnuplot -e "data='FILE'; out='FILE.svg'; heading='TEXT'" memory.gnuplot
#
# A panel for each scenario in `data` (memory_plot.awk), with a line for each peer.
names(column) = system(sprintf("awk '/^#/ && !seen[$%d]++ { print $%d }' '%s'", column, column, data))
scenarios = names(2)
peers = names(3)
rows = (words(scenarios) + 3) / 4
set terminal svg noenhanced size 1200,60 + 230 * rows dynamic font "sans-serif,12" background "white"
set output out
colors = "#0060ad #4aa3df #444444 #55a868 #8172b3 #c44e52 #dd8452"
set yrange [0:*]
set grid lc rgb "#dddddd"
set xtics font ",9"
unset key
# One legend for all panels.
do for [i=1:words(peers)] {
    set label i word(peers, i) at screen 0.06 + 0.12 * (i - 1), 0.03 textcolor rgb word(colors, i)
}
set multiplot layout rows, 4 title heading margins 0.05, 0.99, 0.12, 0.88 spacing 0.045, 0.12
do for [s=1:words(scenarios)] {
    if (s == 2) { unset label }
    set title word(scenarios, s) offset 0, -0.6
    plot for [i=1:words(peers)] data index word(scenarios, s) . " " . word(peers, i) using 1:2 \
        with lines lw 2 lc rgb word(colors, i)
}
unset multiplot
