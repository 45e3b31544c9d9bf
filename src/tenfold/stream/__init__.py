"""Publish and consume in batches: at least once, in groups, with dead letters.

message    what is consumed, what a stream must do, and how it fails
valkey     a stream on Valkey or Redis Streams, by the driver that follows a failover
testing    a stream in memory, for your tests

The stream on an engine is imported from its own file: `from tenfold.stream.valkey import ValkeyStream`.
"""

from tenfold.stream.message import Message, Stream, StreamUnreachable

__all__ = ["Message", "Stream", "StreamUnreachable"]
