"""How long a step takes, and what else costs time: `make bench`.

The other ways to write the three networks stand beside gan3 as their own best users would write
them: the same variables, the same three updates, the same shapes, dropout, L1 and Adam.
"""
