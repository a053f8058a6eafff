"""Outside services that are asked about many things at once, by one thread, however slow they are.

Belongs here: calls, their time limits, their repetition, and the end of calls to a service that is down. Does not
belong here: what is asked, and what a good answer is.
"""
