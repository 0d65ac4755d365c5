"""The list of claims and the ledger made from it."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.evidence import above, mean
from nqs.analysis.ledger.table import CLAIM, EVIDENCE, counts, ledger, share_with_verdict, verdicts
from nqs.analysis.ledger.verdict import NOT_TESTED, REPRODUCED
from nqs.runtime.errors import InputError

ROOT = Path(__file__).parents[3]
ENTRY = {
    "id": "paper.rises", "study": "paper", "where": "Fig. 1", "target": "paper_fig1", "statement": "It rises.",
    "kind": "trend", "published": None, "check": "slope > 0 by 2 SE", "scale": "laptop",
}  # fmt: skip


@pytest.fixture
def claims(tmp_path):
    def read(*entries):
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump(list(entries)))
        return read_claims(path)

    return read


def rises(claim, tables):
    if len(slopes := tables["fig1"].slope):
        yield above("slope", mean(slopes), 0.0)


def made(claims, slopes, scale="laptop"):
    return ledger(claims.values(), {"rises": rises}, Tables({"fig1": pd.DataFrame({"slope": slopes})}), scale)


def test_list_of_the_product_is_sound():
    claims = read_claims(ROOT / "reference/claims.yaml")
    assert len(claims) == 211
    assert {claim.study for claim in claims.values()} == {"westerhout2020", "ju2025", "mummaneni2026", "kufel2024"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "guess"}, "kind: Input should be"),
        ({"scale": "huge"}, "scale: Input should be"),
        ({"cheque": "a"}, "cheque: Extra inputs"),
        ({"id": "rises"}, "must begin with the study, paper."),
        ({"published": {"value": 1}}, "published.unit: Field required"),
    ],
)
def test_wrong_entries_are_refused_by_name(claims, change, said):
    with pytest.raises(InputError, match=said) as error:
        claims(ENTRY | change)
    assert "entry 1 (" in str(error.value)


def test_claims_listed_twice_are_refused(claims):
    with pytest.raises(InputError, match=r"paper\.rises is listed twice"):
        claims(ENTRY, ENTRY)


def test_claim_has_one_verdict_and_its_evidence_below(claims):
    table = made(claims(ENTRY), [1.0, 1.1, 0.9, 1.0])
    assert list(table.row) == [CLAIM, EVIDENCE]
    assert list(table.verdict) == [REPRODUCED, "holds"]
    assert table.value.tolist() == pytest.approx([1.0, 1.0])
    assert counts(table) == {REPRODUCED: 1}
    assert share_with_verdict(table) == 1


@pytest.mark.parametrize(
    ("slopes", "scale", "why"),
    [([1.0, 1.1, 0.9], "smoke", "needs laptop scale"), ([], "laptop", "the tables of this scale lack the cells")],
)
def test_what_cannot_be_tested_says_why(claims, slopes, scale, why):
    (row,) = verdicts(made(claims(ENTRY), slopes, scale)).to_dict("records")
    assert row["verdict"] == NOT_TESTED
    assert row["remark"].startswith(why)


def test_missing_table_is_named(claims):
    table = ledger(claims(ENTRY).values(), {"rises": rises}, Tables({}), "paper")
    assert table.remark[0] == "needs the table fig1"


def test_claim_without_check_and_check_without_claim_are_refused(claims):
    with pytest.raises(InputError, match="falls"):
        ledger(claims(ENTRY).values(), {"rises": rises, "falls": rises}, Tables({}), "paper")
    with pytest.raises(InputError, match="rises"):
        ledger(claims(ENTRY).values(), {}, Tables({}), "paper")
