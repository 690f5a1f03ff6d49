"""Ticks of logarithmic axes: plain numbers, few enough that they do not overlap."""

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator


def set_log_ticks(axis: Axis) -> None:
    """Set the ticks of a logarithmic axis, by the range that it shows now."""
    lowest, highest = axis.get_view_interval()
    span = highest / lowest
    if span < 5:  # a decade's 1, 2 and 5 would be one tick or two
        axis.set_major_locator(MaxNLocator(4))
    else:
        subs = (1, 2, 5) if span < 300 else (1, 3) if span < 1000 else (1,)
        axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
