"""One file per system or ablation: a declaration (`CONFIG`) and how it is built (`build`).

The loop, the figures and the command line belong to gan3; no experiment has a loop.
"""
