"""The seeds of a run's random draws."""

import unittest

from gan3.core import seeds

STREAMS = (
    *(seeds.STEPS, seeds.EVALUATIONS, seeds.SHUFFLED, seeds.FIXED),
    *(seeds.CLASSES, seeds.REPORT, seeds.EPISODES, seeds.LATENT, seeds.HELD_OUT),
)
NUMBERS = (0, 1, 2, 1000, 2**27 - 1)  # a schedule has at most 2**27 - 1 steps


class Seeds(unittest.TestCase):
    def test_no_two_draws_of_a_run_share_a_seed(self):
        drawn = [seeds.seed_of(3, stream, number) for stream in STREAMS for number in NUMBERS]
        own = [(3, 0), (3, 1)]  # those of the system itself
        self.assertEqual(len({*drawn, *own}), len(STREAMS) * len(NUMBERS) + 2)

    def test_runs_with_different_seeds_share_no_seed(self):
        one, two = ({seeds.seed_of(s, stream) for stream in STREAMS} for s in (3, 4))
        self.assertFalse(one & two)

    def test_every_seed_is_a_pair_of_int32(self):
        for stream in STREAMS:
            for number in seeds.seed_of(2**31 - 1, stream, NUMBERS[-1]):
                self.assertTrue(0 <= number < 2**31)
