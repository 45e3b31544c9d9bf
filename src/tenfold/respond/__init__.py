"""The people's side: what is changed by hand or by rule while the sale is on, and how it reaches every process.

control       the control node: records that every process follows, over an HTTP stream of their own
switchboard   who may set a switch to what, what it would touch, who did, and how to take it back
merges        what processes report of breakers and hot keys, made into one word for all, at the node
"""
