"""Motif counts, equivalence classes and motif features against plain strings."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nqs.model import motifs
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError


def text(code, length):
    """Spins as letters, site 0 first."""
    return "".join("du"[int(bit)] for bit in motifs.bits(np.array([code]), length)[0])


def flipped(word):
    return word.translate(str.maketrans("du", "ud"))


def orbit(word, translate):
    """All images of a string under reflection, flip and, for rings, translation."""
    turns = range(len(word)) if translate else [0]
    return {x[t:] + x[:t] for t in turns for y in (word, word[::-1]) for x in (y, flipped(y))}


def random_states(n_sites, n, seed=0):
    spins = np.tile(np.arange(n_sites) % 2, (n, 1)).astype(np.uint64)
    spins = np.random.default_rng(seed).permuted(spins, axis=1)
    return (spins << np.arange(n_sites, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)


@pytest.mark.parametrize(("n_sites", "length"), [(8, 4), (10, 10), (60, 6), (64, 64)])
def test_windows_are_the_substrings_around_the_ring(n_sites, length):
    states = random_states(n_sites, 5)
    for state, codes in zip(states, motifs.window_codes(states, n_sites, length), strict=True):
        word = text(state, n_sites) * 2
        assert [text(code, length) for code in codes] == [word[i : i + length] for i in range(n_sites)]


def test_sixteen_motifs_by_seventy_states():
    counts = motifs.motif_counts(zero_magnetisation_states(8), 8, 4).T
    assert counts.shape == (16, 70)
    assert_array_equal(counts.sum(axis=0), 8)
    for column, state in zip(counts.T, zero_magnetisation_states(8), strict=True):
        word = text(state, 8) * 2
        assert_array_equal(column, [sum(word[i : i + 4] == text(m, 4) for i in range(8)) for m in range(16)])


def test_counts_of_a_long_ring():
    states = random_states(60, 20)
    counts = motifs.motif_counts(states, 60, 6)
    codes = motifs.window_codes(states, 60, 6)
    assert_array_equal(counts, [np.bincount(row.astype(int), minlength=64) for row in codes])


def test_classes_of_eight_sites():
    """The seven classes of Fig. 1(c), in its order."""
    classes = motifs.state_classes(8)
    assert classes.sizes.tolist() == [8, 16, 16, 16, 8, 4, 2]
    assert [text(r, 8) for r in classes.representatives] == [
        "uuuudddd", "uuududdd", "uuduuddd", "uudududd", "uduududd", "uudduudd", "udududud",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("classes", "length", "translate"),
    [(motifs.motif_classes, 5, False), (motifs.motif_classes, 6, False), (motifs.state_classes, 10, True)],
)
def test_classes_are_orbits(classes, length, translate):
    found = classes(length)
    assert (np.diff(found.representatives.astype(int)) > 0).all()
    assert found.sizes.sum() == len(found.codes)
    for number, representative in enumerate(found.representatives):
        members = found.members(number)
        assert members[0] == representative
        assert (np.diff(members.astype(int)) > 0).all()
        assert {text(m, length) for m in members} == orbit(text(representative, length), translate)


def test_translation_classes_are_necklaces():
    """Necklaces with N/2 beads of each colour: sum over d | N/2 of phi(d) C(N/d, N/2d) / N."""
    for n_sites in (8, 12, 16):
        half = n_sites // 2
        divisors = [d for d in range(1, half + 1) if half % d == 0]
        phi = {d: sum(math.gcd(d, k) == 1 for k in range(1, d + 1)) for d in divisors}
        expected = sum(phi[d] * math.comb(n_sites // d, half // d) for d in divisors) // n_sites
        assert len(motifs.state_classes(n_sites, translations_only=True)) == expected


def test_class_sums_means_and_order():
    classes = motifs.motif_classes(3)
    assert [text(r, 3) for r in classes.representatives] == ["ddd", "udd", "dud"]
    assert classes.sums(np.arange(8)).tolist() == [7, 1 + 3 + 4 + 6, 2 + 5]
    assert_allclose(classes.means(np.ones((2, 8))), 1)
    assert classes.codes[classes.order].tolist() == [0, 7, 1, 3, 4, 6, 2, 5]
    assert classes.spread(np.array([10, 20, 30])).tolist() == [10, 20, 30, 20, 20, 30, 20, 10]


def test_class_counts_are_equal_within_a_class_of_states():
    states, classes = motifs.state_classes(10), motifs.motif_classes(4)
    counts = motifs.class_counts(states.codes, 10, 4)
    assert_array_equal(counts, classes.sums(motifs.motif_counts(states.codes, 10, 4)))
    assert_array_equal(counts, motifs.class_counts(states.representatives, 10, 4)[states.labels])


@pytest.mark.parametrize(
    ("length", "n_classes", "rank", "plain_rank"), [(3, 3, 3, 4), (4, 6, 5, 8), (5, 10, 8, 16), (6, 20, 14, 32)]
)
def test_ranks_of_sixteen_sites(length, n_classes, rank, plain_rank):
    """Multipliers of classes are independent at K = 3 only, those of motifs never."""
    assert len(motifs.motif_classes(length)) == n_classes
    assert len(motifs.row_space(16, length)) == rank
    assert motifs.gauge_dimension(16, length) == n_classes - rank
    assert len(motifs.row_space(16, length, symmetrised=False)) == plain_rank


def test_rank_over_representatives_is_that_over_all_states():
    for length in (3, 4, 5):
        everything = motifs.motif_counts(zero_magnetisation_states(12), 12, length).T
        assert len(motifs.row_space(12, length, symmetrised=False)) == np.linalg.matrix_rank(everything)
        classes = motifs.motif_classes(length).sums(everything.T)
        assert len(motifs.row_space(12, length)) == np.linalg.matrix_rank(classes)


def test_gauge_directions_change_no_amplitude():
    basis = motifs.row_space(12, 6)
    multipliers = np.random.default_rng(0).normal(size=20)
    gauge = multipliers - basis.T @ (basis @ multipliers)
    assert np.abs(gauge).max() > 0.1
    assert_allclose(motifs.distinct_counts(12, 6) @ gauge, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("n_sites", "symmetrised", "plain"), [(8, 4, 4), (10, 4, 6), (12, 6, 7), (14, 6, 8), (16, 8, 8)]
)
def test_smallest_length_that_separates_the_classes(n_sites, symmetrised, plain):
    """K >= floor(N/3) is necessary [Ju 2025, sec. II]."""

    def smallest(**options):
        every = ((length, motifs.distinct_counts(n_sites, length, **options)) for length in range(1, n_sites + 1))
        return next(length for length, counts in every if len(np.unique(counts, axis=0)) == len(counts))

    assert smallest() == symmetrised >= n_sites // 3
    assert smallest(symmetrised=False) == plain


def edit_distance(one, two):
    """Levenshtein distance by its recursive definition."""
    if not one or not two:
        return len(one) + len(two)
    if one[0] == two[0]:
        return edit_distance(one[1:], two[1:])
    return 1 + min(edit_distance(one[1:], two), edit_distance(one, two[1:]), edit_distance(one[1:], two[1:]))


@pytest.mark.parametrize("length", [1, 2, 4, 5])
def test_motif_features(length):
    words = [text(m, length) for m in range(1 << length)]
    neel = ("ududud"[:length], "dududu"[:length])
    assert motifs.neel_distances(length).tolist() == [min(edit_distance(w, n) for n in neel) for w in words]
    assert motifs.like_pairs(length).tolist() == [sum(a == b for a, b in itertools.pairwise(w)) for w in words]


def test_condition_number_of_table_two():
    design = motifs.design_matrix(6)
    assert design.shape == (64, 4)
    assert_allclose(np.linalg.cond(design), 42.39, atol=0.005)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: motifs.window_codes(random_states(8, 1), 8, 9), r"K = 9 .* N = 8: choose 1 <= K <= N"),
        (lambda: motifs.motif_counts(random_states(8, 1), 8, 0), "motifs of 0 sites"),
        (lambda: motifs.motif_counts(random_states(20, 1), 20, 17), "use `window_codes` beyond"),
        (lambda: motifs.state_classes(9), "a ring of 9 sites: .* even number"),
        (lambda: motifs.window_codes(np.array([0]), 66, 4), "from 4 to 64"),
        (lambda: motifs.state_classes(26), "give `motif_counts` a sample beyond 24"),
        (lambda: motifs.class_counts(np.array([0b00110011, 0b111]), 8, 4), r"uuuddddd \(site 0 first\) has 3 of 8"),
        (lambda: motifs.window_codes(np.array([0b110011 << 4]), 8, 4), "bits beyond the 8 sites"),
    ],
)
def test_wrong_input_is_named_with_the_way_out(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_counting_by_class_lists_no_windows():
    """A million windows are 8 MB; counts of 20 classes in 17,000 states are 1.4 MB, and nothing else of that size."""
    states = random_states(60, 17_000)
    motifs.class_counts(states[:1], 60, 6)
    tracemalloc.start()
    counts = motifs.class_counts(states, 60, 6)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts.shape == (17_000, 20)
    assert (counts.sum(axis=1) == 60).all()
    assert counts.nbytes < peak < counts.nbytes + 3 * states.nbytes


def test_loops_over_windows_are_compiled():
    states = random_states(60, 2)
    motifs.window_codes(states, 60, 6)
    motifs.motif_counts(states, 60, 6)
    for loop in (motifs._fill_codes, motifs._fill_counts):
        assert len(loop.nopython_signatures) == len(loop.signatures) > 0
