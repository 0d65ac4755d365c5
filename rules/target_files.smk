"""Which files belong to figures and tables."""


def stem(kind, study, target):
    """Files of a target of one kind, without ending."""
    return f"{RESULTS}/{kind}/{study.name}/{target}"


def rows_files(study, name, target):
    """Files that hold the rows of a target, by kind."""
    files = {
        kind: f"{stem('analysis', study, table)}.csv"
        for kind, table in target.tables(name).items()
    }
    cost = f"{stem('analysis', study, name)}_cost.json"
    return files if target.names else files | {"cost": cost}


def computed_targets():
    """Targets whose rows are made from files; at scale archive only the views of the ledgers."""
    return (found for found in WORK.targets() if not GALLERY or found[2].is_view)


def rows_from(study, target):
    """What the rows of a target are made from, by kind."""
    if GALLERY:
        return {"table": all_rows(study)}
    return below_results(WORK.inputs(study, target))


def besides(study, target):
    """What the rows of a target are made from besides cells and tables, by kind."""
    return {
        **(published(study) if target.reads_published else {}),
        **(CLAIMS if target.is_view else {}),
    }


def caption(study, name):
    """The text beside a target in Snakemake's report, if there is one."""
    file = PROJECT / "docs/captions" / f"{study.name}_{name}.rst"
    return {"caption": str(file)} if file.exists() else {}


def reported(study, name, ending):
    """The file of a target that Snakemake's report shows."""
    return report(
        f"{stem(study.targets[name].kind, study, name)}.{ending}",
        category=study.citation,
        labels={"figure": shown_name(name)},
        **caption(study, name),
    )


def shown_files(study, name):
    """What a reader gets of a target: kind -> file."""
    path = stem(study.targets[name].kind, study, name)
    if study.targets[name].draw:
        return {
            "pdf": reported(study, name, "pdf"),
            "png": f"{path}.png",
            "record": f"{path}.json",
        }
    return {
        "table": reported(study, name, "csv"),
        "markdown": f"{path}.md",
        "record": f"{path}.json",
    }


def all_rows(study):
    """All tables of rows of a study; at scale archive those that are archived."""
    if GALLERY:
        return list(map(str, GALLERY.tables(study)))
    return [
        f"{stem('analysis', study, table)}.csv"
        for name, target in study.targets.items()
        if not target.shows
        for table in target.tables(name).values()
    ]


def files_of_target(study, name, target):
    """What a target leaves behind: what a reader gets, or rows that nothing shows."""
    if target.kind == "rows":
        return {} if GALLERY else rows_files(study, name, target)
    if GALLERY and not target.is_view and not GALLERY.has(study, name):
        return {}
    return shown_files(study, name)


def all_files(study):
    """Everything that a study shows, rows that nothing shows, and its verdicts."""
    if study.claims:
        yield f"{RESULTS}/claims/{study.name}.csv"
    for name, target in study.targets.items():
        if not target.shows or target.draw or target.layout:
            yield from files_of_target(study, name, target).values()


def archived_files(study, names):
    """The archived tables of targets, and the records of their runs."""
    tables = {name: str(GALLERY.table(study, name)) for name in names}
    return tables | {
        f"{name}.record": str(GALLERY.record(study, name)) for name in names
    }


def gallery_files(study, names):
    """What a reader gets of several targets: target.kind -> file."""
    return {
        f"{name}.{kind}": file
        for name in names
        for kind, file in shown_files(study, name).items()
    }


def files_or_refusal(study, name):
    """What a reader gets of a target, or an input function that says why it cannot be drawn."""

    def refuse(wildcards):
        raise WorkflowError(GALLERY.why_missing(study, name))

    return [*shown_files(study, name).values()] if GALLERY.has(study, name) else refuse


def not_archived():
    """What scale archive does not show, with the way to make it; empty if there is nothing."""
    lines = [
        GALLERY.why_missing(study, name)
        for study in WORK.studies.values()
        for name in GALLERY.missing(study)
    ]
    return "\n".join(["Not in the gallery:", *lines]) if lines else ""
