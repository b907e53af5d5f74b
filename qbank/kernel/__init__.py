"""The kernel: settings, database, accounts, access, audit, jobs. It knows nothing of examinations.

Eight promises are kept here so that no room has to think of them again: doors, objects, audit, one commit,
races, time, settings, two databases. The README names the test of each.
"""
