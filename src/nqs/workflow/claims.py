"""The verdicts on all claims of a study: `python -m nqs claims <study>`."""

from __future__ import annotations

from nqs.analysis.ledger.table import ledger_of
from nqs.runtime.errors import InputError
from nqs.runtime.job import Job, function
from nqs.workflow.rows import write
from nqs.workflow.studies import found_studies


def build(name: str, job: Job) -> None:
    """Write the ledger of a study.

    settings: scale. Inputs: claims, the list of all studies; table, the rows of the study's targets; published, the
    paper's numbers. Output: table. InputError for a study that is none or has no claims.
    """
    studies = found_studies()
    if name not in studies or not studies[name].claims:
        known = ", ".join(known for known, study in studies.items() if study.claims)
        raise InputError(f"'{name}' is no study with claims; known: {known}")
    study = studies[name]
    published = function(study.read)(job.file("published")) if study.read else {}
    files = {**job.inputs, "claims": [job.file("claims")]}
    table, _ = ledger_of(name, function(study.claims), files, published, job.settings["scale"])
    write(table, job.out("table"))
