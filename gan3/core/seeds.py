"""Derives the seed of every random draw of a run from the run's one seed.

The streams below are of TensorFlow's stateless generator. NumPy's generators draw the order of
the images ([seed, epoch]), the initial weights ([seed, number]) and what a report card resamples.
Some of these have equal seeds; no result depends on it, because they draw different things.
"""

# One stream for each purpose, so that no two purposes of a run use the same random numbers.
STEPS, EVALUATIONS, SHUFFLED, FIXED, CLASSES, REPORT, EPISODES, LATENT, HELD_OUT = range(1, 10)
_STREAM_LENGTH = 2**27  # seeds in a stream; more than the steps of any schedule


def seed_of(seed: int, stream: int, number: int = 0) -> tuple[int, int]:
    """The stateless seed of draw `number` of a stream, as `tf.random.stateless_*` takes it.

    No stream contains (seed, 0) and (seed, 1), which the systems use themselves: for the initial
    weights and for noise that is drawn once per run.
    """
    return seed, stream * _STREAM_LENGTH + number
