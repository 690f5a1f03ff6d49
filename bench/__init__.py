"""Measures how long a training step takes and what else costs time: `make bench`.

gan3 is compared with other implementations of the three networks, each written the way its
framework recommends: the same variables, updates and shapes, with dropout, L1 and Adam.
"""
