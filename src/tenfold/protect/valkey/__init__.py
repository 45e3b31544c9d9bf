"""What stands on Valkey or Redis; needs the extra `valkey`.

rung       values of one kind, read and filled in batches
"""

from tenfold.protect.valkey.rung import ValkeyRung

__all__ = ["ValkeyRung"]
