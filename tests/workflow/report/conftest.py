"""A small project with partial results: a figure, a table, ledgers of two studies, benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from support.ledgers import ROOT, made_up_ledger

from nqs.runtime.markdown import markdown

RECORD = {
    "id": "0123456789abcdef", "figure": "westerhout2020_fig5", "config": {"fig5": {"repeats": 4}},
    "inputs": {"results/smoke/analysis/westerhout2020/fig5.csv": "ab" * 32}, "code": "c0de", "python": "3.11.7",
    "packages": {"numpy": "2.0"}, "device": "cpu", "seeds": [7], "git": {"revision": "f" * 40, "dirty": False},
    "wall_seconds": 75.0, "written_utc": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
ARCHIVED = {  # what a figure drawn from an archived table says besides
    "table": "archive/paper/westerhout2020/figS1.csv", "sha256": "ab" * 32, "as_recorded": False,
    "reduced": ["figS1.repeats"],
    "record": {"id": "feed", "code": "beef", "device": "cpu", "git": {"revision": "e" * 40, "dirty": False}},
}  # fmt: skip
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{s}\t0:00:01\t{rss}\t{s}\n"


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A project's folder with results at smoke scale."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("config.yaml", "presets", "docs", "reference"):
        (folder / name).symlink_to(ROOT / name)
    smoke = folder / "results" / "smoke"
    figure = smoke / "figures/westerhout2020/fig5"
    figure.parent.mkdir(parents=True)
    Image.radial_gradient("L").convert("RGB").resize((2000, 900)).save(f"{figure}.png")
    Path(f"{figure}.json").write_text(json.dumps(RECORD))
    Image.new("RGB", (900, 400), "white").save(figure.with_name("figS1.png"))
    figure.with_name("figS1.json").write_text(json.dumps({**RECORD, "archived": ARCHIVED}))
    table = smoke / "tables/ju2025/table1"
    table.parent.mkdir(parents=True)
    ledger = made_up_ledger("ju2025")
    Path(f"{table}.md").write_text(markdown(ledger.head(30)))
    (smoke / "claims").mkdir()
    for study in ("ju2025", "westerhout2020"):
        made_up_ledger(study).to_csv(smoke / "claims" / f"{study}.csv", index=False)
    for name, seconds in (("rows/westerhout2020_fig5", 2.0), ("figures/westerhout2020_fig5", 3.5)):
        file = smoke / "benchmarks" / f"{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(BENCHMARK.format(s=seconds, rss=100 * seconds))
    return folder
