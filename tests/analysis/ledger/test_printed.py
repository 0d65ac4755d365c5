"""The printed numbers among the evidence."""

import numpy as np
import pytest

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, above, exactly, near
from nqs.analysis.ledger.printed import COLUMNS, markdown, printed
from nqs.analysis.ledger.table import ledger
from nqs.analysis.ledger.verdict import NOT_TESTED

ENTRY = {
    "study": "paper", "where": "Fig. 1", "target": "paper_fig1", "statement": "It is so.", "kind": "number",
    "check": "within errors", "scale": "smoke",
}  # fmt: skip
NUMBER = {"value": 0.4, "unit": "exponent"}


def claim(slug, published=None):
    return Claim.model_validate(ENTRY | {"id": f"paper.{slug}", "published": published})


@pytest.fixture
def shown():
    claims = [claim("exponent", NUMBER), claim("energy", NUMBER), claim("lost", NUMBER), claim("rises")]
    checks = {
        "exponent": lambda *given: [near("k", Estimate(0.45, 0.04, 9), 0.4, 0.05, part="square", reading="exact")],
        "energy": lambda *given: [exactly("E", -1.0, -2.0, impossible="below the ground state")],
        "lost": lambda *given: [],
        "rises": lambda *given: [above("slope", Estimate(1.0, 0.1, 9), 0.0)],
    }
    return printed(ledger(claims, checks, Tables({}), "paper"), claims)


def test_rows_are_the_evidence_of_claims_with_a_number(shown):
    assert tuple(shown.columns) == COLUMNS
    assert shown.claim.tolist() == ["exponent", "energy", "lost"]
    assert shown.verdict.tolist() == ["holds", "cannot be true", NOT_TESTED]
    row = shown.iloc[0]
    assert (row["part"], row.reading, row.unit, row["where"], row.n_runs) == (
        "square",
        "exact",
        "exponent",
        "Fig. 1",
        9,
    )
    assert (row.published, row.published_error, row.ours, row.ours_error) == (0.4, 0.05, 0.45, 0.04)
    assert row.distance == pytest.approx(0.05 / np.hypot(0.04, 0.05))


def test_exact_disagreement_has_no_distance_in_errors(shown):
    assert np.isnan(shown.distance[1])


def test_markdown_shows_one_line_for_each_row(shown):
    lines = markdown(shown).strip().splitlines()
    assert len(lines) == 2 + len(shown)
    assert "square" in lines[2]
