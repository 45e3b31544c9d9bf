"""What people see of a rehearsal.

progress   the record that all of them draw
run_record keeps it while the run goes on
terminal   shows it where `tenfold` was typed: `screen` in place, `lines` for a log
report     `index.html` and `verdict.json`, what the run leaves
"""
