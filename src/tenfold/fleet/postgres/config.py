"""What every node of a cluster is configured with, and whom it lets in."""

CONTROL = "tenfold"
APP = "app"

# A commit that was acknowledged is on the primary's disk (fsync, synchronous_commit), as in production; only the
# making of the empty cluster skips the disk's word. A run lasts minutes, so no checkpoint falls into its steps.
# Nothing is left outside the data folder: no Unix sockets, no POSIX shared memory.
CONFIG = """
listen_addresses = '{host}'
unix_socket_directories = ''
max_connections = 60
password_encryption = 'scram-sha-256'
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 8
max_replication_slots = 8
max_slot_wal_keep_size = '1GB'
hot_standby = on
hot_standby_feedback = on
wal_receiver_status_interval = '1s'
wal_retrieve_retry_interval = '200ms'
shared_buffers = '128MB'
shared_memory_type = mmap
dynamic_shared_memory_type = mmap
min_dynamic_shared_memory = '16MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = on
cluster_name = '{name}'
"""

ACCESS = """\
# type  database     user     address        method
host    replication  tenfold  127.0.0.1/32   scram-sha-256
host    all          tenfold  127.0.0.1/32   scram-sha-256
host    app          app      127.0.0.1/32   {app}
"""
