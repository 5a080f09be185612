# gnuplot -e "data='FILE'; out='FILE.svg'; heading='TEXT'" lines.gnuplot
#
# A panel for each block of `data`, a line for each of its columns, over numbers of threads.
set terminal svg size 1100,560 dynamic font "sans-serif,12" background "white"
set output out
set datafile missing "?"
blocks = int(system("awk 'BEGIN { RS = \"\" } END { print NR }' '" . data . "'"))
columns = int(system("head -n 1 '" . data . "' | wc -w"))
name(block) = system(sprintf("awk 'BEGIN { RS = \"\" } NR == %d { print $1 }' '%s'", block, data))
colors = "#0060ad #444444 #dd8452 #55a868 #8172b3 #937860 #c44e52"
set logscale x 2
set yrange [0:*]
set grid lc rgb "#dddddd"
set multiplot layout 2, (blocks + 1) / 2 title heading margins 0.06, 0.98, 0.18, 0.88 spacing 0.05, 0.14
set xtics ()
unset key
do for [b=1:blocks] {
    set title name(b) offset 0, -0.6
    if (b > (blocks + 1) / 2) { set xlabel "threads" } else { unset xlabel }
    if (b == blocks) { set key at screen 0.5, screen 0.045 center horizontal maxrows 1 }
    plot for [i=2:columns] data index b - 1 using 1:i:xtic(1) with linespoints lw 2 pt 7 ps 0.6 \
        lc rgb word(colors, i - 1) title columnheader(i)
}
unset multiplot
