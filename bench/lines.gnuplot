# gnuplot -e "data='FILE'; out='FILE.svg'; heading='TEXT'" lines.gnuplot
#
# A panel for each block of `data`, a line for each of its columns, over numbers of threads.
set terminal svg noenhanced size 1100,560 dynamic font "sans-serif,12" background "white"
set output out
set datafile missing "?"
blocks = int(system("awk 'BEGIN { RS = \"\" } END { print NR }' '" . data . "'"))
columns = int(system("head -n 1 '" . data . "' | wc -w"))
name(block) = system(sprintf("awk 'BEGIN { RS = \"\" } NR == %d { print $1 }' '%s'", block, data))
colors = "#0060ad #444444 #dd8452 #55a868 #8172b3 #937860 #c44e52"
first = real(system("awk 'NR == 2 { print $1 }' '" . data . "'"))
last = real(system("awk 'BEGIN { RS = \"\" } NR == 1 { print $(NF - " . (columns - 1) . ") }' '" . data . "'"))
set logscale x 2
set xrange [first * 0.8:last * 1.25]
set yrange [0:*]
set grid lc rgb "#dddddd"
unset key
# One legend for all panels.
do for [i=2:columns] {
    set label i - 1 system(sprintf("awk 'NR == 1 { print $%d }' '%s'", i, data)) \
        at screen 0.08 + 0.12 * (i - 2), 0.03 textcolor rgb word(colors, i - 1)
}
set multiplot layout 2, (blocks + 1) / 2 title heading margins 0.05, 0.98, 0.16, 0.88 spacing 0.05, 0.14
set xtics ()
do for [b=1:blocks] {
    if (b == 2) { unset label }
    set title name(b) offset 0, -0.6
    if (b > (blocks + 1) / 2) { set xlabel "threads" offset 0, 0.4 } else { unset xlabel }
    plot for [i=2:columns] data index b - 1 using 1:i:xtic(1) with linespoints lw 2 pt 7 ps 0.6 \
        lc rgb word(colors, i - 1)
}
unset multiplot
