"""The assembly engine: from items in plain arrays and rules to parallel forms, with a bound on how good any could be.

items      the bank as arrays                       rules      what is asked of a paper
compiling  rules -> a problem                       problem    items x forms with linear bands: the generic core
exact      small problems, to proven optimality     aggregate  large ones: how many of each stratum on each form
search     which items of a stratum: swaps          relaxation the bound: a linear program grown column by column
explain    why there is no paper, and the nearest   swapping   the best equivalents of one item
"""
