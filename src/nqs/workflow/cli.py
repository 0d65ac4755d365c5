"""Command line: one sub-command per stage, each on files, as the rules call them.

Heavy imports happen inside the commands, after the number of threads of the numerical libraries is set.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="file to write")]
Settings = Annotated[str, typer.Option(help="the used part of the configuration, as JSON")]
Threads = Annotated[int, typer.Option(help="threads")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]
GroundState = Annotated[Path, typer.Option(help="ground state")]
Code = Annotated[str, typer.Option(help="hash of the code; checkpoints of other code are not resumed")]
SaveEvery = Annotated[float, typer.Option(help="seconds between checkpoints")]
Tau = Annotated[float, typer.Option(help="relative change that makes a hidden unit important")]
Cost = Annotated[Path, typer.Option(help="wall time and devices of the training, JSON")]
Files = Annotated[list[Path], typer.Option(help="input file; repeat the option for more")]


def fail(error: Exception) -> NoReturn:
    """End with the reason as the last line of the log."""
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(1)


def set_threads(threads: int) -> None:
    """Fix the threads of BLAS, OpenMP and PyTorch before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


def end_as_exception() -> None:
    """Let termination arrive as an exception, so that checkpoints are written."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@app.command()
def hamiltonian(settings: Settings, out: Out, threads: Threads = 1) -> None:
    """Bases and matrices of all symmetry sectors of a cluster."""
    set_threads(1)
    from nqs.exact import blocks as stage
    from nqs.model.lattices import cluster_of

    cell = json.loads(settings)
    stage.build(cluster_of(cell), out, cell["symmetries"], cell["backend"], threads)


@app.command("ground-state")
def ground_state(
    settings: Settings,
    hamiltonian: Annotated[Path, typer.Option(help="file of stage hamiltonian")],
    out: Out,
    checkpoints: Annotated[Path | None, typer.Option(help="folder for an unfinished search")] = None,
    threads: Threads = 1,
    code: Code = "",
) -> None:
    """Lowest state of one coupling over all sectors, and its gap."""
    set_threads(1)
    from nqs.exact import ground_state as stage

    cell = json.loads(settings)
    stage.solve(
        hamiltonian, cell["j2"], out, cell["tolerance"], cell["allow_degenerate"],
        checkpoints=checkpoints, code=code, threads=threads,
    )  # fmt: skip


@app.command("momentum-check")
def momentum_check(
    settings: Settings,
    ground_states: Annotated[list[Path], typer.Option(help="ground states of one cluster")],
    out: Out,
) -> None:
    """Compare ground states with the lowest energy over all momenta, complex ones included."""
    set_threads(1)
    from nqs.exact import momentum_check as stage
    from nqs.model.lattices import cluster_of

    cell = json.loads(settings)
    stage.check(cluster_of(cell), ground_states, out)


@app.command()
def dataset(settings: Settings, ground_state: GroundState, out: Out) -> None:
    """Training and validation sets drawn from |psi|^2."""
    set_threads(1)
    from nqs.exact.eigenstate import Wavefunction
    from nqs.supervised import dataset as stage

    stage.build(Wavefunction.read(ground_state), json.loads(settings), out)


@app.command()
def supervised(
    settings: Settings,
    ground_state: GroundState,
    out: Out,
    history: Annotated[Path, typer.Option(help="table of the trainings")],
    checkpoints: Annotated[Path, typer.Option(help="folder for unfinished trainings")],
    data: Files = [],  # noqa: B006  (typer reads the default, nobody changes it)
    device: Device = "auto",
    threads: Threads = 1,
    save_every: SaveEvery = 20.0,
    code: Code = "",
) -> None:
    """Train all networks of one cell."""
    set_threads(threads)
    end_as_exception()
    from nqs.runtime.device import choose
    from nqs.supervised import stage

    cell = json.loads(settings)
    training = stage.Cell(cell, ground_state, data, code)
    stage.run(training, out, history, checkpoints, choose(device), threads, save_every)


@app.command()
def overlaps(
    settings: Settings,
    ground_state: GroundState,
    weights: Annotated[Path, typer.Option(help="trained networks of one cell")],
    out: Out,
    data: Files = [],  # noqa: B006
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Overlaps of the networks of one cell with the exact ground state."""
    set_threads(threads)
    from nqs.analysis import overlaps as stage
    from nqs.runtime.device import choose
    from nqs.supervised.dataset import by_epsilon

    stage.build(ground_state, weights, by_epsilon(data), json.loads(settings), out, choose(device))


@app.command()
def summary(
    settings: Settings,
    overlaps: Files,
    out: Out,
    cost: Cost,
    reconfiguration: Files = [],  # noqa: B006
) -> None:
    """The table behind a figure of westerhout2020."""
    set_threads(1)
    from nqs.studies.westerhout2020.tables import summary as stage

    stage.build(overlaps, reconfiguration, json.loads(settings), out, cost)


@app.command("critical-sizes")
def critical_sizes(settings: Settings, overlaps: Files, out: Out, cost: Cost) -> None:
    """The smallest training sets that generalise, against the dimension of the Hilbert space."""
    set_threads(1)
    from nqs.studies.westerhout2020.tables import critical_sizes as stage

    stage.build(overlaps, json.loads(settings), out, cost)


@app.command()
def sensitivity(settings: Settings, overlaps: Files, histories: Files, out: Out, cost: Cost) -> None:
    """How the overlaps change with the settings of the training."""
    set_threads(1)
    from nqs.studies.westerhout2020.tables import sensitivity as stage

    stage.build(overlaps, histories, json.loads(settings), out, cost)


@app.command()
def reconfiguration(
    settings: Settings,
    ground_state: GroundState,
    out: Out,
    table: Annotated[Path, typer.Option(help="table of the runs")],
    trace: Annotated[Path, typer.Option(help="table of the iterations")],
    checkpoints: Annotated[Path, typer.Option(help="folder for unfinished runs")],
    threads: Threads = 1,
    save_every: SaveEvery = 20.0,
    code: Code = "",
) -> None:
    """Find variational ground states of one cell by stochastic reconfiguration."""
    set_threads(1)
    end_as_exception()
    from nqs.vmc.stages import amplitude_phase as stage

    stage.run(
        json.loads(settings), ground_state, out, table, trace,
        checkpoints=checkpoints, threads=threads, code=code, save_every=save_every,
    )  # fmt: skip


@app.command()
def vmc(
    settings: Settings,
    ground_state: GroundState,
    out: Out,
    models: Annotated[Path, typer.Option(help="table of the networks")],
    trace: Annotated[Path, typer.Option(help="table of the iterations")],
    checkpoints: Annotated[Path, typer.Option(help="folder for unfinished runs")],
    device: Device = "auto",
    threads: Threads = 1,
    save_every: SaveEvery = 20.0,
    code: Code = "",
) -> None:
    """Optimise all networks of one cell by variational Monte Carlo."""
    set_threads(threads)
    end_as_exception()
    from nqs.vmc.stages import rbm as stage

    stage.run(
        json.loads(settings), ground_state, out, models, trace,
        checkpoints=checkpoints, device=device, threads=threads, code=code, save_every=save_every,
    )  # fmt: skip


@app.command()
def observables(
    weights: Annotated[Path, typer.Option(help="networks of one cell")],
    models: Annotated[Path, typer.Option(help="table of the networks")],
    ground_state: GroundState,
    tau: Tau,
    out: Out,
    units: Annotated[Path, typer.Option(help="table of the hidden units")],
    snapshots: Annotated[Path, typer.Option(help="table of the kept iterations")],
    threads: Threads = 1,
) -> None:
    """Exact energies and correlations of the networks of one cell, whole and with hidden units removed."""
    set_threads(threads)
    from nqs.analysis import rbm_observables as stage

    stage.build(weights, models, ground_state, tau, out, units, snapshots)


@app.command()
def importance(
    taus: Annotated[list[float], typer.Option(help="threshold; repeat the option for more")],
    states: Files,
    units: Files,
    out: Out,
    fractions: Annotated[Path, typer.Option(help="means over repeats")],
    power_laws: Annotated[Path, typer.Option(help="fits against the number of sites")],
) -> None:
    """Important hidden units of every network at several thresholds, their means and power laws."""
    from nqs.studies.mummaneni2026.tables import importance as stage

    stage.build(states, units, taus, out, fractions, power_laws)


@app.command("rbm-tables")
def rbm_tables(
    name: Annotated[str, typer.Argument(help="figure, e.g. fig5")],
    tau: Tau,
    out: Out,
    cost: Annotated[Path, typer.Option(help="wall time and devices, JSON")],
    models: Files = [],  # noqa: B006
    traces: Files = [],  # noqa: B006
    states: Files = [],  # noqa: B006
    units: Files = [],  # noqa: B006
    snapshots: Files = [],  # noqa: B006
    weights: Files = [],  # noqa: B006
    importance: Files = [],  # noqa: B006
    fractions: Files = [],  # noqa: B006
    power_laws: Files = [],  # noqa: B006
) -> None:
    """The table behind a figure of mummaneni2026."""
    set_threads(1)
    from nqs.runtime import training_cost
    from nqs.studies.mummaneni2026.tables import small_rings as stage

    files = {
        "models": models, "traces": traces, "states": states, "units": units, "snapshots": snapshots,
        "weights": weights, "importance": importance, "fractions": fractions, "power_laws": power_laws,
    }  # fmt: skip
    stage.build(name, files, tau, out)
    training_cost.write(models, cost)


@app.command("motif-vmc")
def motif_vmc(
    settings: Settings,
    out: Out,
    runs: Annotated[Path, typer.Option(help="table of the runs")],
    trace: Annotated[Path, typer.Option(help="table of the iterations")],
    checkpoints: Annotated[Path, typer.Option(help="folder for unfinished runs")],
    search: Annotated[
        Path | None, typer.Option(help="table of the runs of the search to take the setting from")
    ] = None,
    device: Device = "auto",
    threads: Threads = 1,
    save_every: SaveEvery = 20.0,
    code: Code = "",
) -> None:
    """Train all runs of one cell by energy descent on a ring."""
    set_threads(1)
    end_as_exception()
    from nqs.vmc.stages import ring as stage

    stage.run(
        json.loads(settings), out, runs, trace,
        search=search, checkpoints=checkpoints, device=device, threads=threads, code=code, save_every=save_every,
    )  # fmt: skip


@app.command("motif-optima")
def motif_optima(
    settings: Settings,
    out: Out,
    optima: Annotated[Path, typer.Option(help="table of the optima")],
    threads: Threads = 1,
) -> None:
    """Exact variational optima of correlator product state and shallow network on one ring."""
    set_threads(1)
    end_as_exception()
    from nqs.vmc.stages import ring_optima as stage

    stage.run(json.loads(settings), out, optima, threads)


@app.command("motif-tables")
def motif_tables(
    name: Annotated[str, typer.Argument(help="figure or table, e.g. fig3")],
    settings: Settings,
    out: Out,
    cost: Annotated[Path, typer.Option(help="wall time and devices, JSON")],
    runs: Files = [],  # noqa: B006
    traces: Files = [],  # noqa: B006
    weights: Files = [],  # noqa: B006
    optima: Files = [],  # noqa: B006
    optima_arrays: Files = [],  # noqa: B006
    ground_states: Files = [],  # noqa: B006
    published: Files = [],  # noqa: B006
) -> None:
    """The table behind a figure or table of ju2025."""
    set_threads(1)
    from nqs.runtime import training_cost
    from nqs.workflow import target as stage

    files = {
        "runs": runs, "traces": traces, "weights": weights, "optima": optima, "optima_arrays": optima_arrays,
        "ground_states": ground_states, "published": published,
    }  # fmt: skip
    stage.build(name, files, json.loads(settings), out)
    training_cost.write(runs, cost)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="<study>_<table>, e.g. ju2025_table2")],
    settings: Settings,
    table: Annotated[Path, typer.Option(help="its rows")],
    stem: Annotated[Path, typer.Option(help="output path without .csv, .md, .json")],
    published: Annotated[Path | None, typer.Option(help="published values that the rows hold")] = None,
    cost: Annotated[Path | None, typer.Option(help="wall time behind the rows, JSON")] = None,
) -> None:
    """A table as CSV and Markdown, and its provenance."""
    from nqs.workflow import write_table

    write_table.save(name, json.loads(settings), table, published, stem, cost)


@app.command("published-table")
def published_table(
    name: Annotated[str, typer.Argument(help="<study>_<table>, e.g. mummaneni2026_tableX1")],
    settings: Settings,
    tau: Tau,
    published: Annotated[Path, typer.Option(help="published numbers")],
    stem: Annotated[Path, typer.Option(help="output path without .csv, .md, .json")],
    models: Files,
    traces: Files,
    states: Files,
    units: Files,
    snapshots: Files,
    weights: Files,
    importance: Files,
    fractions: Files,
    power_laws: Files,
) -> None:
    """Every number of the paper beside ours, and the table's provenance."""
    set_threads(1)
    from nqs.workflow import write_table

    files = {
        "models": models, "traces": traces, "states": states, "units": units, "snapshots": snapshots,
        "weights": weights, "importance": importance, "fractions": fractions, "power_laws": power_laws,
    }  # fmt: skip
    write_table.build(name, json.loads(settings), files, tau, published, stem)


@app.command("published-trends")
def published_trends(
    tau: Tau,
    out: Out,
    models: Files,
    traces: Files,
    states: Files,
    units: Files,
    snapshots: Files,
    weights: Files,
    importance: Files,
    fractions: Files,
    power_laws: Files,
) -> None:
    """The paper's statements about trends, tested on our networks."""
    set_threads(1)
    from nqs.studies.mummaneni2026.claims import trends as stage

    files = {
        "models": models, "traces": traces, "states": states, "units": units, "snapshots": snapshots,
        "weights": weights, "importance": importance, "fractions": fractions, "power_laws": power_laws,
    }  # fmt: skip
    stage.build(files, tau, out)


@app.command("lattice-geometry")
def lattice_geometry(settings: Settings, out: Out) -> None:
    """Sites and bonds of clusters, as drawn."""
    from nqs.analysis.lattice_geometry import lattice_geometry as table_of
    from nqs.model.lattices import cluster_of
    from nqs.runtime.files import atomic

    cells = json.loads(settings)["clusters"]
    table = table_of(map(cluster_of, cells))
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="<study>_<figure>, e.g. westerhout2020_fig2")],
    settings: Settings,
    table: Annotated[Path, typer.Option(help="the figure's table")],
    published: Annotated[Path, typer.Option(help="published values")],
    stem: Annotated[Path, typer.Option(help="output path without .pdf, .png, .json")],
    cost: Annotated[Path | None, typer.Option(help="wall time behind the table, JSON")] = None,
) -> None:
    """Draw one figure and write its provenance."""
    from nqs.workflow.draw import draw

    draw(name, json.loads(settings), table, published, stem, cost)


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def plan(context: typer.Context) -> None:
    """What would run, how many jobs, and how long it would take; takes Snakemake's targets and options."""
    from nqs.workflow import plan as stage

    raise SystemExit(stage.plan(context.args, []))


@app.command("config-reference")
def config_reference(
    check: Annotated[bool, typer.Option(help="only say whether the page is up to date")] = False,
) -> None:
    """Write docs/configuration.md from the schema."""
    from nqs.workflow import configuration_page as stage

    raise SystemExit(stage.main(Path("docs/configuration.md"), check))


def main(arguments: Any = None) -> None:
    """Run the command line; known errors end with one line instead of a traceback."""
    from nqs.runtime.errors import NqsError

    try:
        app(arguments)
    except NqsError as error:
        fail(error)
