"""Splits of a user's own set: which images are held out, the same ones on every machine."""

import numpy as np


def fixed_order(count: int) -> np.ndarray:
    """A random order of `count` images, int64 [count]; the same on every call."""
    # Not permutation(): NumPy may change it from one version to the next, but not the raw numbers.
    random = np.random.Generator(np.random.PCG64(0)).random(count)
    return np.argsort(random, kind="stable")


def stratified(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of two parts, the second with `count` images, each class in proportion.

    The rows of both are in a fixed random order. The first part keeps at least one image of every
    class, so the second has fewer than `count` images, or none, if there are not enough.

    Args:
        labels: integers [N] from 0.
        count: at most N.

    Returns:
        int64 arrays that have each row 0..N-1 once.
    """
    order = fixed_order(len(labels))
    sizes = np.bincount(labels)
    most = np.maximum(sizes - 1, 0)
    exact = sizes * count / max(len(labels), 1)
    held_out = np.minimum(exact.astype(int), most)
    while (missing := min(count, most.sum()) - held_out.sum()) > 0:
        # Largest remainders first; another round if a class has no image to spare
        remainders = np.where(held_out < most, exact - held_out, -np.inf)
        nearest = np.argsort(-remainders, kind="stable")[:missing]
        held_out[nearest[held_out[nearest] < most[nearest]]] += 1
    by_class = np.argsort(labels[order], kind="stable")  # in each class the fixed order
    first_of_class = np.cumsum(sizes) - sizes
    rank = np.empty(len(labels), int)
    rank[by_class] = np.arange(len(labels)) - np.repeat(first_of_class, sizes)
    is_held_out = rank < held_out[labels[order]]
    return order[~is_held_out], order[is_held_out]


def in_fair_order(labels: np.ndarray, count: int) -> np.ndarray | None:
    """The rows of a set in an order in which its last `count` images are a fair sample of it.

    None if they are already. A set that would lose a class with them, or that is sorted by class as
    a folder is, in one piece or several, gets a fixed random order, with each class in proportion
    among the last. A set is in several pieces if the classes of the last images are six standard
    deviations of chi squared from those of all.
    """
    sizes = np.bincount(labels)
    last = np.bincount(labels[len(labels) - count :], minlength=len(sizes))[sizes > 0]
    sizes = sizes[sizes > 0]
    expected = sizes * count / len(labels)
    distance, freedom = ((last - expected) ** 2 / expected).sum(), len(sizes) - 1
    is_sorted = 0 < np.count_nonzero(np.diff(labels)) == freedom
    is_like_all = distance <= freedom + 6 * np.sqrt(2 * freedom)
    is_fair = is_like_all and not is_sorted and (last < sizes).all()
    return None if is_fair else np.concatenate(stratified(labels, count))
