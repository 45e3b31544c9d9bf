"""The drivers below everything: connections that follow a failover, and what may be asked of an engine on top.

valkey         one cluster of Valkey or Redis, whatever its form; needs the extra `valkey`
postgres       how far a server is in its log; needs the extra `postgres`
amplification  one budget for retries, hedges, refreshes and audits
"""
