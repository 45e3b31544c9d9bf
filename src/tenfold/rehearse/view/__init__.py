"""What people see of a rehearsal.

progress   the record that all of them draw
run_record keeps it while the run goes on
machine_row  what the machine did during one step or drill
terminal   shows it where `tenfold` was typed: `screen` in place, `lines` for a log
charts     the report's charts as SVG; `svg` has their parts, `thinning` fewer points with the same extremes
report     `index.html` and `verdict.json`, what the run leaves
"""
