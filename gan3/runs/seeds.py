"""TODO docstring."""

# Streams of a run's seed.
STEPS, EVALUATIONS, SHUFFLED, FIXED, CLASSES, REPORT, EPISODES, LATENT = 1, 2, 3, 4, 5, 6, 7, 8
_STREAM = 2**27  # numbers a stream: more than any schedule has steps


def seed_of(seed: int, stream: int, number: int = 0) -> tuple[int, int]:
    """The seed of one draw of a run. (seed, 0) and (seed, 1) are the system's own."""
    return seed, stream * _STREAM + number
