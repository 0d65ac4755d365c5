"""Write envs/*.yaml, the conda environments of the rules, from requirements.lock.

python tools/make_envs.py
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = [
    "h5py",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "PyYAML",
    "rich",
    "scipy",
    "typer",
]
ENVIRONMENTS = {
    "ed": [*COMMON, "llvmlite", "quspin"],
    "torch": [*COMMON, "safetensors", "torch"],
    "plot": [*COMMON, "matplotlib", "safetensors", "statsmodels"],
    "claims": [*COMMON, "safetensors", "statsmodels", "torch"],
}
HEADER = """\
# Made from requirements.lock by tools/make_envs.py; edit those, not this.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.11
  - pip
  - pip:
"""


def read_lock() -> dict[str, str]:
    """Version of every package in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


def environment(packages: list[str]) -> str:
    """Text of one environment file: the packages at the lock's versions, in pip's section."""
    lock = read_lock()
    pins = [f"      - {name}=={lock[name]}\n" for name in sorted(packages, key=str.lower)]
    return HEADER + "".join(pins)


def main() -> None:
    for name, packages in ENVIRONMENTS.items():
        (ROOT / "envs" / f"{name}.yaml").write_text(environment(packages), encoding="utf-8")


if __name__ == "__main__":
    main()
