"""`make bench-protect`: what protecting costs and what it holds, beside its peers.

One module for each figure's subject, run in a process of its own, so that none leaves its memory or its threads to the
next; `runner` is what each of them ends in, `__main__` runs them all and prints one table.
"""
