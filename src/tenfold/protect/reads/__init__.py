"""Reads that survive the loss of what they read from.

found      a value as it travels between rungs
recent     the keys read lately, to draw samples from
drain      works off in the background, to a bound, what readers do not wait for
near       the near cache: values in the process itself, bounded by bytes and by entries
flight     single flight: one load of a key, however many callers want it
memoize    both of them around a function
dense      small numbers by the hundred thousand, held whole in the process
ladder     the read ladder: asks rung by rung until one answers
batcher    asks for many keys at once what callers ask one by one
hot        hot keys: found without rules, held in every process
failover   from a cluster to its standby, and back
audit      notices that cache and database disagree
downgrade  leaves a cache that is wrong, has it repaired, and returns
valkey     rungs, leases and pairs of clusters on Valkey; needs the extra `valkey`
postgres   a rung on PostgreSQL; needs the extra `postgres`
portal     an event loop for code that knows no `await`
"""
