"""Splits by class: counts derived by hand, every row once, the same on every call."""

import unittest

import numpy as np

from gan3.data.splits import fixed_order, in_fair_order, stratified


class Stratified(unittest.TestCase):
    def split(self, counts, count):
        """The numbers of each class in both parts, for classes with `counts` images."""
        labels = np.repeat(np.arange(len(counts)), counts)
        kept, held_out = stratified(labels, count)
        rows = np.sort(np.concatenate([kept, held_out]))
        np.testing.assert_array_equal(rows, np.arange(len(labels)))  # each row once
        return [
            np.bincount(labels[part], minlength=len(counts)).tolist() for part in (kept, held_out)
        ]

    def test_each_class_is_held_out_in_proportion_and_keeps_an_image(self):
        for counts, count, held_out in (
            ([60, 60, 60], 30, [10, 10, 10]),
            # 70 x .1 = 7, 25 x .1 = 2.5, 5 x .1 = .5: one more for the first of equal remainders
            ([70, 25, 5], 10, [7, 3, 0]),
            ([1, 1, 98], 50, [0, 0, 50]),
            ([2, 2, 2], 3, [1, 1, 1]),
            ([1, 1, 3], 5, [0, 0, 2]),  # no more to spare
            ([3, 4], 0, [0, 0]),
            ([1, 1], 1, [0, 0]),
            ([10, 0, 10], 10, [5, 0, 5]),
        ):
            kept = np.subtract(counts, held_out).tolist()
            self.assertEqual(self.split(counts, count), [kept, held_out])

    def test_the_rows_of_both_parts_are_mixed_and_always_the_same(self):
        labels = np.repeat([0, 1], 500)
        kept, held_out = stratified(labels, 300)
        for rows in (kept, held_out):
            changes = np.count_nonzero(np.diff(labels[rows]))
            self.assertAlmostEqual(changes / len(rows), 0.5, delta=0.1)
        again = stratified(labels, 300)
        np.testing.assert_array_equal(again[0], kept)
        np.testing.assert_array_equal(again[1], held_out)

    def test_random_cases(self):
        """Each class is within one image of its proportion, if it has images to spare."""
        random = np.random.default_rng(5)
        for _ in range(200):
            counts = random.integers(1, 60, random.integers(2, 20))
            count = int(random.integers(0, counts.sum() // 6 + 1))
            kept, held_out = map(np.array, self.split(counts, count))
            self.assertGreaterEqual(kept.min(), 1)
            self.assertEqual(held_out.sum(), min(count, (counts - 1).sum()))
            exact = counts * count / counts.sum()
            if (counts > 5).all():
                self.assertLess(np.abs(held_out - exact).max(), 1)

    def test_the_fixed_order_does_not_depend_on_numpys_permutation(self):
        # The first numbers of PCG64(0) are .637 .270 .041 .017 .813 .913 .607 .729.
        np.testing.assert_array_equal(fixed_order(8), [3, 2, 1, 6, 0, 7, 4, 5])
        self.assertEqual(len(set(fixed_order(1000).tolist())), 1000)


class Order(unittest.TestCase):
    def test_only_sets_whose_last_images_are_no_fair_sample_are_put_in_order(self):
        for labels, count, is_changed in (
            ([0, 0, 1, 1], 1, True),
            ([2, 2, 0, 1, 1], 1, True),
            ([0] * 40 + [1] * 40, 13, True),
            ([2] * 40 + [0] * 40 + [1] * 40, 20, True),  # sorted, in any order of the classes
            (([0] * 20 + [1] * 20) * 2, 13, True),  # two sorted pieces
            ([0, 1, 2, 3] * 30, 20, False),
            ([0, 1, 0, 1], 1, False),
            ([0, 0, 0], 1, False),
            ([0] * 352, 50, False),
            ([0] * 50 + [1] * 29_950, 5_000, True),  # sorted, with a rare class
            ([0, 1, 0, 1, 2], 1, True),  # would lose a class
            ([0, 1, 0, 1], 3, True),
        ):
            with self.subTest(labels):
                rows = in_fair_order(np.array(labels), count)
                self.assertEqual(rows is not None, is_changed)
                if is_changed:
                    np.testing.assert_array_equal(np.sort(rows), np.arange(len(labels)))
                    self.assertEqual(set(np.array(labels)[rows[:-1]].tolist()), set(labels))
