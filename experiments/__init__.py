"""One file per system or ablation: a declaration (`CONFIG`) and how it is built (`build`).

The run loop, the figures and the command line are the library's; no experiment has a loop.
"""
