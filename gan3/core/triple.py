"""One value for each network, always in the same order."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
S = TypeVar("S")


class Triple(NamedTuple, Generic[T]):
    """One value for each of the three networks: weights, optimizers, losses, gradients."""

    generator: T
    discriminator: T
    determinator: T

    def map(self, function: Callable[[T], S]) -> "Triple[S]":
        """`function` of each value, in the same order."""
        return Triple(*(function(value) for value in self))


class Pair(NamedTuple, Generic[T]):
    """One value for each network of a two-network system."""

    generator: T
    discriminator: T
