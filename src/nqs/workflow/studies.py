"""The studies: every package of nqs.studies holds one, as STUDY in its module `study`.

That the functions they name exist is checked by `check_entries`: it reads the sources, which jobs need not do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from nqs.runtime.errors import ConfigError
from nqs.studies.protocol import Study, Target
from nqs.workflow.code_hash import resolve

HOME = "nqs.studies"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{,59}")  # part of file names


@cache
def found_studies(home: str = HOME) -> dict[str, Study]:
    """All studies by name, in the order of their names; ConfigError for a package that holds none, or a name twice."""
    found: dict[str, Study] = {}
    for name in packages(home):
        study = study_in(f"{home}.{name}")
        if study.name in found:
            raise ConfigError(
                f"{home}.{name}.study: STUDY.name is '{study.name}', like that of another study; rename it"
            )
        found[study.name] = study
    return found


def packages(home: str) -> Iterable[str]:
    """Names of the packages in a package, sorted."""
    return sorted(module.name for module in iter_modules(import_module(home).__path__) if module.ispkg)


def study_in(package: str) -> Study:
    """The study that a package holds; ConfigError if there is none, or if it is not whole."""
    if find_spec(f"{package}.study") is None:
        raise ConfigError(f"{package}: no module study.py with STUDY = Study(...); add it or move the folder away")
    try:
        study = getattr(import_module(f"{package}.study"), "STUDY", None)
    except Exception as error:  # whatever a new module may do wrong
        raise ConfigError(f"{package}.study: cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(study, Study):
        raise ConfigError(f"{package}.study: no STUDY = Study(...) in it; see nqs.studies.protocol")
    if not NAME.fullmatch(study.name):
        raise ConfigError(
            f"{package}.study: STUDY.name is '{study.name}'; names are letters and digits, a letter first"
        )
    for name, target in study.targets.items():
        check_target(target_key(package, name), target, study)
    return study


def check_target(key: str, target: Target, study: Study) -> None:
    """ConfigError if a target shows another one that is none, or nothing, or if what should be a function is none."""
    for field in ("inputs", "settings", "used"):
        if not callable(getattr(target, field)):
            raise ConfigError(f"{key}.{field}: must be a function of the configuration")
    if target.shows and target.shows not in study.targets:
        raise ConfigError(f"{key}.shows: '{target.shows}' is no target of {study.name}")
    if not target.rows and not target.shows:
        raise ConfigError(f"{key}: says neither how its rows are made (rows) nor whose it shows (shows)")


def check_entries(home: str = HOME) -> None:
    """ConfigError if a study, or a target of one, names a function that is not there."""
    for package in packages(home):
        study = study_in(f"{home}.{package}")
        check_entry(study.claims, f"{home}.{package}.study: STUDY.claims")
        for name, target in study.targets.items():
            for field in ("rows", "draw", "layout", "cost"):
                check_entry(getattr(target, field), f"{target_key(f'{home}.{package}', name)}.{field}")


def check_entry(entry: str, key: str) -> None:
    """ConfigError with the key if an entry names nothing; an empty one is none."""
    try:
        if entry:
            if ":" not in entry:
                raise ValueError(f"'{entry}' names no function; write module:function")
            resolve(entry)
    except ValueError as error:
        raise ConfigError(f"{key}: {str(error).removeprefix('code_hash: ')}") from None


def target_key(package: str, name: str) -> str:
    """Where a target stands, for errors."""
    return f"{package}.study: STUDY.targets['{name}']"
