"""What is claimed of speed, measured: peers side by side in one run, taking turns, medians and ratios.

first          freshmart beside the plain version, through HTTP (`make bench`)
plain          the plain version: the shop as many would write it
shop           the servers that both stand on, put back to the same morning before each turn
questions      the same questions asked of both, so that what is compared does the same
search         the highest arrival rate that is held
turn           one contestant's turn: its reads, its orders, the audit of what it wrote
figures        `benchmarks/results/*.json`: what every benchmark leaves
rehearsal      what a rehearsal costs a request, beside another checkout's (`make bench-rehearsal`)
process_cost   the processor time of each of its processes
metrics_cost   what one metric costs
"""
