"""One value for each network, always in the same order."""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Triple(NamedTuple, Generic[T]):
    """One value for each of the three networks: weights, optimizers, losses, gradients."""

    generator: T
    discriminator: T
    determinator: T


class Pair(NamedTuple, Generic[T]):
    """One value for each network of a two-network system."""

    generator: T
    discriminator: T
