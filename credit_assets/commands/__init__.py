"""What a person types: the command line of one machine, and of a release on a cluster.

Belongs here: options, output and exit codes. Does not belong here: logic that an asset or a sensor needs too.
"""
