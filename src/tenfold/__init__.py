"""Tenfold gets a retailer through ten times its normal day: it protects, rehearses, watches and responds."""

__version__ = "0.1.0"
