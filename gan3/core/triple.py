"""The organising idea of gan3: everything comes in threes, always in the same order."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
S = TypeVar("S")


class Triple(NamedTuple, Generic[T]):
    """One thing for each network: networks, variable lists, optimizers, losses, gradients."""

    generator: T
    discriminator: T
    determinator: T

    def map(self, function: Callable[[T], S]) -> "Triple[S]":
        """`function` of each of the three, in the same order."""
        return Triple(*(function(item) for item in self))
