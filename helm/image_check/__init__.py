"""What the container image must be able to do. The build runs it twice, and fails if anything does not work.

The first time, before libraries have byte code: what is loaded here gets byte code, and nothing else does.
The second time on the finished image: it fails if too much was left out.

Belongs here: a use of each library that a program of the image uses. Does not belong here: what is right or wrong about
the results, which is for tests.
"""
