# gnuplot -e "data='FILE'; out='FILE.svg'; heading='TEXT'; axis='TEXT'" bars.gnuplot
#
# A group of bars for each line of `data`, a bar for each of its columns; the line at 1 is what they are
# compared with. Bars that would leave the picture end at its edge.
set terminal svg noenhanced size 1100,420 dynamic font "sans-serif,13" background "white"
set output out
set datafile missing "?"
set title heading
set ylabel axis
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set boxwidth 0.92
set logscale y
set yrange [0.003:30]
set ytics (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
set grid ytics lc rgb "#dddddd"
set xtics nomirror rotate by -25
set key outside top center horizontal
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb "black" lw 1.5 front
colors = "#0060ad #dd8452 #55a868 #8172b3 #937860 #c44e52 #777777"
columns = int(system("head -n 1 '" . data . "' | wc -w"))
plot for [i=2:columns] data using i:xtic(1) lc rgb word(colors, i - 1) title columnheader(i)
