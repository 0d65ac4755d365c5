"""One verdict from many pieces of evidence."""

import numpy as np
import pytest

from nqs.analysis.ledger.evidence import (
    Estimate,
    above,
    below,
    exactly,
    mean,
    near,
    share_above,
    share_near,
    true,
)
from nqs.analysis.ledger.verdict import (
    CONTRADICTED,
    FAILS,
    HOLDS,
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_TESTED,
    OPEN,
    REPRODUCED,
    judge,
    outcomes,
)


def verdict(*found):
    return judge(found).verdict


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [(1.0, 0.1, REPRODUCED), (-1.0, 0.1, NOT_REPRODUCED), (0.1, 0.1, INCONCLUSIVE), (-0.1, 0.1, INCONCLUSIVE)],
)
def test_bound_needs_two_standard_errors_on_either_side(value, error, expected):
    assert verdict(above("k", Estimate(value, error), 0.0)) == expected
    assert verdict(below("k", Estimate(-value, error), 0.0)) == expected


def test_two_standard_errors_are_the_limit_of_a_bound():
    assert verdict(above("k", Estimate(2.01, 1.0), 0.0)) == REPRODUCED
    assert verdict(above("k", Estimate(1.99, 1.0), 0.0)) == INCONCLUSIVE


def test_few_seeds_have_wider_intervals():
    assert verdict(above("k", Estimate(2.5, 1.0, 100), 0.0)) == REPRODUCED
    assert verdict(above("k", Estimate(2.5, 1.0, 4), 0.0)) == INCONCLUSIVE


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.1], [np.nan, 3.0, 3.1]])
def test_one_or_two_values_decide_nothing(values):
    assert verdict(above("k", mean(values), 0.0)) == INCONCLUSIVE
    assert verdict(near("k", mean(values), 3.0)) == INCONCLUSIVE


def test_scattered_seeds_that_contain_the_published_value_agree_with_nothing():
    """2 to 7 important units, published 5: the range says nothing, nor does a wide mean."""
    assert verdict(near("units", mean([2, 7, 2, 7]), 5.0)) == INCONCLUSIVE
    assert verdict(near("units", mean([4.9, 5.0, 5.1, 5.0]), 5.0)) == REPRODUCED
    assert verdict(near("units", mean([3.0, 3.1, 2.9, 3.0]), 5.0)) == NOT_REPRODUCED


def test_distance_counts_combined_uncertainties():
    one = near("k", Estimate(1.0, 0.3), 0.0, published_error=0.4)
    assert one.distance == pytest.approx(2.0)
    assert near("k", Estimate(1.0, 0.3), 0.0, published_error=0.4, tolerance=0.5).distance == pytest.approx(1.0)


def test_exact_numbers_need_no_error():
    assert verdict(exactly("states", 12870, 12870)) == REPRODUCED
    assert verdict(exactly("states", 12871, 12870)) == NOT_REPRODUCED
    assert verdict(exactly("weight", 1 + 1e-13, 1.0, allowed=1e-12)) == REPRODUCED
    assert verdict(true("two-colourable", True)) == REPRODUCED
    assert verdict(true("two-colourable", False)) == NOT_REPRODUCED


def test_all_parts_are_needed():
    good, bad, unclear = (above("k", Estimate(value, 0.1), 0.0) for value in (1.0, -1.0, 0.0))
    assert verdict(good.named("square"), good.named("kagome")) == REPRODUCED
    assert verdict(good.named("square"), bad.named("kagome")) == NOT_REPRODUCED
    assert verdict(good.named("square"), unclear.named("kagome")) == INCONCLUSIVE


def test_one_of_several_readings_is_enough_and_all_must_fail():
    good, bad, unclear = (above("k", Estimate(value, 0.1), 0.0) for value in (1.0, -1.0, 0.0))
    assert verdict(good.named(reading="exact"), bad.named(reading="sampled")) == REPRODUCED
    assert verdict(bad.named(reading="exact"), bad.named(reading="sampled")) == NOT_REPRODUCED
    assert verdict(bad.named(reading="exact"), unclear.named(reading="sampled")) == INCONCLUSIVE


def test_many_readings_and_parts_need_stronger_evidence():
    weak = above("k", Estimate(0.21, 0.1), 0.0)
    other = above("k", Estimate(0.0, 0.1), 0.0)
    assert verdict(weak) == REPRODUCED
    assert verdict(weak.named(reading="a"), other.named(reading="b")) == INCONCLUSIVE
    against = above("k", Estimate(-0.21, 0.1), 0.0)
    assert verdict(against) == NOT_REPRODUCED
    assert verdict(against.named("a"), above("k", Estimate(1.0, 0.1), 0.0).named("b")) == INCONCLUSIVE
    close = near("k", Estimate(1.19, 0.1), 1.0)
    assert verdict(close) == REPRODUCED
    far = near("k", Estimate(5.0, 0.1), 1.0)
    assert verdict(close.named(reading="a"), far.named(reading="b")) == INCONCLUSIVE


def test_one_of_many_printed_numbers_may_differ_by_chance():
    close, rather = (near("k", Estimate(1 + distance * 0.1, 0.1), 1.0) for distance in (0.5, 2.2))
    assert verdict(rather) == NOT_REPRODUCED
    assert verdict(*(close.named(str(part)) for part in range(9)), rather.named("tenth")) == REPRODUCED


def test_weakest_part_shows_a_reproduced_claim():
    found = [above("k", Estimate(value, 0.1), 0.0).named(str(value)) for value in (1.0, 0.3, 2.0)]
    assert judge(found).decided_by == 1


def test_impossible_needs_every_reading():
    never = exactly("energy", -2.0, -1.0).named()
    never = type(never)(**{**vars(never), "impossible": "below the ground state"})
    result = judge([never])
    assert (result.verdict, result.remark) == (CONTRADICTED, "below the ground state")
    fails = above("k", Estimate(-1.0, 0.1), 0.0).named(reading="other")
    assert verdict(never, fails) == NOT_REPRODUCED
    assert verdict(never, above("k", Estimate(1.0, 0.1), 0.0).named(reading="other")) == REPRODUCED


def test_nothing_found_is_not_tested():
    assert verdict() == NOT_TESTED


def test_decisive_evidence_is_the_worst_part():
    found = [above("k", Estimate(value, 0.1), 0.0).named(str(value)) for value in (1.0, -0.5, -2.0)]
    assert outcomes(found) == [HOLDS, FAILS, FAILS]
    assert judge(found).decided_by == 2


def test_shares_have_binomial_errors():
    assert verdict(share_above("stuck", 9, 10, 0.5)) == REPRODUCED
    assert verdict(share_above("stuck", 0, 10, 0.5)) == NOT_REPRODUCED
    assert verdict(share_above("stuck", 5, 10, 0.5)) == INCONCLUSIVE
    assert verdict(share_near("stuck", 1, 4, 0.3)) == INCONCLUSIVE
    assert verdict(share_near("stuck", 300, 1000, 0.3)) == REPRODUCED
    assert verdict(share_near("stuck", 500, 1000, 0.3)) == NOT_REPRODUCED
    assert share_above("stuck", 1, 4, 0.5).remark.startswith("1 of 4, share 0.")


def test_false_claims_are_rarely_reproduced_and_true_ones_rarely_refused():
    """500 claims each about the mean of 10 seeds, from normal numbers."""
    random = np.random.default_rng(0)
    for truth, never in ((0.0, REPRODUCED), (0.0, NOT_REPRODUCED)):
        found = [verdict(above("k", mean(random.normal(truth, 1, 10)), 0.0)) for _ in range(500)]
        assert found.count(never) / 500 == pytest.approx(0.023, abs=0.02)
    found = [verdict(near("k", mean(random.normal(1.0, 0.1, 10)), 1.0)) for _ in range(500)]
    assert found.count(NOT_REPRODUCED) / 500 == pytest.approx(0.0455, abs=0.03)
    assert OPEN not in found
