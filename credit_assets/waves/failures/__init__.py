"""What a location leaves that has failed: a log of its own, and its line on the page of the wave under way.

Belongs here: what a person needs to know about one failure. Does not belong here: what becomes of the wave (`ending`).
"""
