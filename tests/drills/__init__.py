"""Drills: what happens to acknowledged answers when a process, a disk, a clock, a network or a machine fails.

``client`` plays candidates over real HTTP and writes down every acknowledgement with its content; ``verify`` compares
that with the database afterwards. The other modules break things in between.
"""
