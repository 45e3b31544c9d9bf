"""The load: a driver process that sends requests when they are due, and the rehearsal's side of it.

load        starts the driver, gives it orders, hears it out
messages    what the two say to each other
result      what one stage came to
driver      the process (`python -m tenfold.rehearse.load.driver`); the rest is its parts
generator   its loop: one thread, one epoll
arrivals, pacer, course, timer               when a request is due
feed, template, request, targeter, memory    what it asks for
pool, connection, response, body, address    how it is sent and answered
tally, recorder, journal                     how it went
mailbox                                      its end of the pipe
"""
