"""How every program of freshmart talks to PostgreSQL: what a session is set to."""


def session_settings(program: str) -> dict[str, str]:
    """Settings for a connection that reads and writes by key, named `program` in the server's views.

    Plans are made once and kept. They are made on the first day, while the order tables are empty, when reading a
    whole table costs nothing, and kept until the peak, when it is full: order status had a p50 of 34 ms at ten times
    the daily peak, and 7 to 9 ms without scans. Everything here is asked for by key, so no session scans tables.
    """
    return {
        "application_name": f"freshmart-{program}",
        "jit": "off",
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
    }
