"""docs/primer.md runs from its first line to its last."""

import re
from pathlib import Path

from nqs.studies.kufel2024.study import STUDY

PAGE = (Path(__file__).parents[3] / "docs/primer.md").read_text()


def test_all_code_runs_in_order():
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(blocks) >= len(STUDY.targets)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/primer.md", "exec"), names)


def test_every_figure_has_a_section():
    assert all(f"(Fig. {name.removeprefix('fig')})" in PAGE for name in STUDY.targets)
