"""The people's side: what is changed by hand or by rule while the sale is on, and how it reaches every process.

control    the control node: records that every process follows, over an HTTP stream of their own
"""
