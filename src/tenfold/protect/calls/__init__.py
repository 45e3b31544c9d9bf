"""What a dependency may be asked.

breaker    the circuit breaker: leaves a broken dependency alone, and finds out when it is back
limit      how much at a time, a second, and on top
"""
