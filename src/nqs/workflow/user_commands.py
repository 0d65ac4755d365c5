"""Commands that people call, most of them through ./nqs: archive, plan, report, pages, compare, config-reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nqs.runtime.errors import InputError
from nqs.runtime.threads import set_threads


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    for command in (archive, report, pages, compare):
        app.command()(command)
    app.command("config-reference")(config_reference)
    app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(plan)


def archive(
    names: Annotated[list[str], typer.Argument(metavar="TARGET...", help="<study>_<target>")],
    config: Annotated[list[str], typer.Option(help="KEY=VALUE as in the run; scale=<scale> at least")] = [],  # noqa: B006
    configfile: Annotated[Path | None, typer.Option(help="configuration file of the run")] = None,
    incomplete: Annotated[str, typer.Option(help="why the grid is not the whole one of its scale")] = "",
) -> None:
    """Copy tables of a finished run, and where they come from, into archive/<scale>/<study>/."""
    from nqs.workflow import archiving
    from nqs.workflow.configuration import given

    settings = [*config, *(word for word in names if "=" in word)]  # --config takes several words, as Snakemake's
    run = archiving.Finished(Path(), Path(__file__).parents[3], given(settings, [configfile] if configfile else []))
    for path in archiving.archive([name for name in names if "=" not in name], run, incomplete):
        print(path)


def plan(context: typer.Context) -> None:
    """What would run, how many jobs, and how long it would take; takes Snakemake's targets and options."""
    from nqs.workflow import plan as planning

    raise SystemExit(planning.plan(context.args, []))


def report(
    scale: Annotated[str, typer.Option(help="smoke, laptop, paper, archive, or one of your own")] = "laptop",
    output: Annotated[Path | None, typer.Option(help="where; results/<scale>/report.html if not given")] = None,
) -> None:
    """One page with every figure, table and claim of a scale, to be read in a browser without a network."""
    set_threads(1)
    from nqs.workflow.report import page

    print(page.build(Path.cwd(), scale, output))


def pages(check: Annotated[bool, typer.Option(help="only say whether they are up to date")] = False) -> None:
    """Write what pages quote of results: numbers of archived tables, and the gallery with its thumbnails."""
    set_threads(1)
    from nqs.workflow.pages import write

    raise SystemExit(write.main(Path.cwd(), check))


def compare(
    first: Annotated[str, typer.Argument(help="a folder, a scale (results/<scale>) or `archive`", metavar="A")],
    second: Annotated[str, typer.Argument(help="another one", metavar="B")],
    study: Annotated[list[str] | None, typer.Option(help="only this study; repeat the option for more")] = None,
    exact: Annotated[bool, typer.Option(help="all files, to the last bit, instead of tables within errors")] = False,
) -> None:
    """Two trees of results side by side; ends with 0 if they are equal within errors, 1 if not, 2 for bad input."""
    set_threads(1)
    from nqs.workflow import compare as comparing
    from nqs.workflow import compare_files

    try:
        if exact:
            raise SystemExit(compare_files.compare_files(*map(comparing.folder_of, (first, second))))
        raise SystemExit(comparing.compare(first, second, study or []))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def config_reference(
    check: Annotated[bool, typer.Option(help="only say whether the page is up to date")] = False,
) -> None:
    """Write docs/configuration.md from the schema."""
    from nqs.workflow import configuration_page

    raise SystemExit(configuration_page.main(Path("docs/configuration.md"), check))
