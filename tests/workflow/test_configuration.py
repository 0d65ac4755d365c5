"""Configuration: every shipped scale is valid, and every mistake is answered with the key and the way out."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nqs.model.clusters import coupling_name
from nqs.model.lattices import cluster_of
from nqs.runtime.errors import ConfigError
from nqs.runtime.fields import Coupling
from nqs.workflow import configuration_page
from nqs.workflow.configuration import Config, asked, load, merge
from nqs.workflow.work import Work

ROOT = Path(__file__).parents[2]


def load_with(**study):
    return load(ROOT, {"westerhout2020": study})


@pytest.mark.parametrize("scale", ["laptop", "smoke", "paper"])
def test_shipped_scales_are_valid(scale):
    assert load(ROOT, {"scale": scale}).scale == scale


def test_command_line_beats_preset_beats_file():
    file, smoke = load(ROOT, {}), load(ROOT, {"scale": "smoke"})
    assert smoke.westerhout2020.fig2.epsilon != file.westerhout2020.fig2.epsilon
    assert smoke.westerhout2020.training.batch == file.westerhout2020.training.batch  # the preset is silent
    given = load(ROOT, {"scale": "smoke", "westerhout2020": {"fig2": {"epsilon": 0.123}}})
    assert given.westerhout2020.fig2.epsilon == 0.123
    assert given.westerhout2020.fig2.panels == smoke.westerhout2020.fig2.panels


def test_merge_replaces_lists_and_merges_mappings():
    assert merge({"a": {"b": [1, 2], "c": 3}}, {"a": {"b": [4]}}) == {"a": {"b": [4], "c": 3}}


def test_numbers_with_an_exponent_are_numbers():
    assert load(ROOT, {}).networks["cnn"].learning_rate == 3e-4


PANEL = {"cluster": "square24", "networks": ["dense1"], "j2": [0.5]}


def fig5(**panel):
    """Fig. 5 with one panel."""
    return {"westerhout2020": {"fig5": {"panels": [{"cluster": "kagome24", "j2": [0.5]} | panel]}}}


def fig3(**panel):
    """Fig. 3 with one panel."""
    return {"westerhout2020": {"fig3": {"panels": [{"cluster": "kagome24", "j2": [0.5], "epsilons": [1e-3]} | panel]}}}


def lower_row(*clusters):
    """Fig. 2 with these clusters in its lower row."""
    return {"westerhout2020": {"fig2": {"variational": {"panels": [{"cluster": c, "j2": [0]} for c in clusters]}}}}


def open_chain(n_sites):
    """Bonds of a chain."""
    return [[i, i + 1] for i in range(n_sites - 1)]


def own(**block):
    """A cluster given by its bonds, here those of a chain of ten."""
    return {"clusters": {"own": {"bonds": {"j1": open_chain(10)}} | block}}


MISTAKES: dict[str, tuple[dict, list[str]]] = {
    "unknown key": ({"westerhout2020": {"fig2": {"epsilom": 0.1}}}, ["westerhout2020.fig2.epsilom", "epsilon"]),
    "unknown top key": ({"sead": 1}, ["sead", "did you mean 'seed'"]),
    "unknown network key": ({"networks": {"dense1": {"hiden": [64]}}}, ["networks.dense1.hiden", "'hidden'"]),
    "wrong type": (
        {"westerhout2020": {"fig2": {"repeats": "four"}}},
        ["westerhout2020.fig2.repeats", "integer", "four"],
    ),
    "misspelt cluster": (fig5(cluster="kagomi24"), ["fig5.panels.0.cluster", "kagome24"]),
    "misspelt panel cluster": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"cluster": "sqare24"}]}}},
        ["panels.0.cluster", "did you mean 'square24'"],
    ),
    "misspelt network": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"networks": ["dens1"]}]}}},
        ["panels.0.networks", "did you mean 'dense1'"],
    ),
    "misspelt architecture": (
        {"networks": {"dense1": {"architecture": "dens"}}},
        ["networks.dense1.architecture", "did you mean 'dense'"],
    ),
    "misspelt scale": ({"scale": "papr"}, ["scale", "did you mean 'paper'"]),
    "odd number of spins": (
        {"clusters": {"square15": {"lattice": "square", "shape": [5, 3]}}},
        ["clusters.square15", "15 sites", "Sz = 0", "even"],
    ),
    "epsilon of one": ({"westerhout2020": {"fig2": {"epsilon": 1}}}, ["westerhout2020.fig2.epsilon", "less than 1"]),
    "epsilon of zero": (
        {"westerhout2020": {"fig5": {"epsilon": 0}}},
        ["westerhout2020.fig5.epsilon", "greater than 0"],
    ),
    "no couplings": (fig5(j2=[]), ["westerhout2020.fig5.panels.0.j2", "empty"]),
    "coupling twice": (fig5(j2=[0.5, 0.4, 0.5]), ["fig5.panels.0.j2", "0.5 listed twice"]),
    "too many digits": (fig5(j2=[0.12345678]), ["fig5.panels.0.j2", "six digits"]),
    "name with a space": (
        {"networks": {"my net": {"architecture": "dense", "learning_rate": 0.1}}},
        ["'my net'", "letters and digits"],
    ),
    "network twice": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"networks": ["dense1", "dense1"]}]}}},
        ["panels.0.networks", "dense1 listed twice"],
    ),
    "same panel twice": (
        {"westerhout2020": {"fig2": {"panels": [PANEL, PANEL]}}},
        ["westerhout2020.fig2.panels", "square24 listed twice"],
    ),
    "expressibility elsewhere": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"expressibility": [0.7]}]}}},
        ["panels.0", "[0.7] not in j2"],
    ),
    "network elsewhere": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"j2_of": {"dense1": [0.7]}}]}}},
        ["panels.0", "dense1: [0.7] not in j2"],
    ),
    "couplings of a network not in the panel": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"j2_of": {"dense": [0.5]}}]}}},
        ["j2_of", "did you mean 'dense1'"],
    ),
    "cnn in fig5 on kagome": (
        {"westerhout2020": {"fig5": {"network": "cnn"}}},
        ["westerhout2020.fig5.network", "'cnn'", "'kagome24'"],
    ),
    "cnn for expressibility on kagome": (
        {"westerhout2020": {"fig2": {"expressibility_network": "cnn"}}},
        ["expressibility_network", "'cnn'", "'kagome24'"],
    ),
    "side too short": (
        {"clusters": {"ladder8": {"lattice": "square", "shape": [4, 2]}}},
        ["clusters.ladder8", "at least 3 unit cells"],
    ),
    "cluster too large": (
        {"clusters": {"square100": {"lattice": "square", "shape": [10, 10]}}},
        ["clusters.square100", "at most 36"],
    ),
    "symmetries without the spin flip": (
        {"ground_state": {"symmetries": ["translations"]}},
        ["ground_state.symmetries", "must contain spin_flip"],
    ),
    "epsilon with too many digits": (
        {"westerhout2020": {"fig2": {"epsilon": 0.01234567}}},
        ["westerhout2020.fig2.epsilon", "six digits"],
    ),
    "no clusters": ({"westerhout2020": {"fig1": {"clusters": []}}}, ["westerhout2020.fig1.clusters", "empty"]),
    "no networks": ({"westerhout2020": {"fig2": {"panels": [PANEL | {"networks": []}]}}}, ["networks", "empty"]),
    "infinite coupling": (fig5(j2=[float("inf")]), ["fig5.panels.0.j2", "finite"]),
    "true as a number": ({"westerhout2020": {"fig5": {"repeats": True}}}, ["fig5.repeats", "not true"]),
    "text for a block": ({"westerhout2020": 3}, ["westerhout2020", "given: 3"]),
    "panels of one cluster twice": (
        {"westerhout2020": {"figS6": {"panels": [{"cluster": "square30", "j2": [0]}] * 2}}},
        ["westerhout2020.figS6.panels", "square30 listed twice"],
    ),
    "training-set size twice": (fig3(epsilons=[1e-3, 1e-2, 1e-3]), ["fig3.panels.0.epsilons", "0.001 listed twice"]),
    "no sizes": (fig3(epsilons=[]), ["fig3.panels.0.epsilons", "empty"]),
    "size of no state": (
        fig3(epsilons=[1e-8]),
        ["westerhout2020.fig3.panels.0.epsilons", "0 training", "'kagome24'", "raise"],
    ),
    "size of no validation state": (
        {"westerhout2020": {"figS6": {"epsilon": 2e-8}}},
        ["westerhout2020.figS6.epsilon", "3 training and 0 validation states", "validation_ratio"],
    ),
    "misspelt target": ({"westerhout2020": {"figS3": {"target": "signs"}}}, ["figS3.target", "'sign' or 'amplitude'"]),
    "misspelt network of a scan": (
        {"westerhout2020": {"figS5": {"network": "dens2"}}},
        ["westerhout2020.figS5.network", "did you mean 'dense2'"],
    ),
    "misspelt cluster of a scan": (fig3(cluster="kagom24"), ["fig3.panels.0.cluster", "did you mean 'kagome24'"]),
    "misspelt scan": ({"westerhout2020": {"fig4": {"scans": ["figS2"]}}}, ["fig4.scans", "did you mean 'fig"]),
    "critical sizes of amplitudes": (
        {"westerhout2020": {"fig4": {"scans": ["figS3"]}}},
        ["fig4.scans", "scans of the signs by one network"],
    ),
    "cluster that is not scanned": (
        {"westerhout2020": {"fig4": {"clusters": ["squar24"]}}},
        ["fig4.clusters", "did you mean 'square24'"],
    ),
    "coupling that is not scanned": (
        {"westerhout2020": {"fig4": {"j2": [0, 0.7]}}},
        ["fig4.j2", "0.7 not scanned on 'square24' by figS1", "add it there"],
    ),
    "lower row of another lattice": (
        lower_row("square16", "square16", "kagome18"),
        ["fig2.variational.panels.1.cluster", "'square16'", "'triangle24'"],
    ),
    "lower row with a panel missing": (
        lower_row("square16", "triangle16"),
        ["fig2.variational.panels", "2 below 3 panels", "one for each"],
    ),
    "lower row with too large a basis": (
        lower_row("square16", "triangle30", "kagome18"),
        ["fig2.variational.panels.1.cluster", "'triangle30'", "at most 24 sites"],
    ),
    "expressibility with too large a basis": (
        {
            "westerhout2020": {
                "fig2": {
                    "panels": [PANEL | {"cluster": "square30", "expressibility": [0.5]}],
                    "variational": {"panels": []},
                }
            }
        },
        ["fig2.panels.0.expressibility", "'square30'", "at most 24 sites"],
    ),
    "no hidden layer driven by the energy": (
        {"networks": {"dense2": {"hidden": []}}},
        ["fig2.variational.network", "'dense2' has no hidden layer", "networks.dense2.hidden"],
    ),
    "two panels of a lattice above the lower row": (
        {
            "westerhout2020": {
                "fig2": {
                    "panels": [PANEL, PANEL | {"cluster": "square16"}],
                    "variational": {"panels": [{"cluster": c, "j2": [0]} for c in ("square16", "square24")]},
                }
            }
        },
        ["westerhout2020.fig2.panels", "two of the lattice 'square'", "fig2.variational.panels empty"],
    ),
    "critical sizes of two lattices": (
        {"westerhout2020": {"fig4": {"clusters": ["square24", "triangle24"], "j2": [0]}}},
        ["westerhout2020.fig4.clusters", "'triangle24' (triangle)", "keep those of one"],
    ),
    "exact sums over too large a basis": (
        {"westerhout2020": {"overlaps": {"exact_up_to": 36}}},
        ["westerhout2020.overlaps.exact_up_to", "at most 30", "601 million on 32"],
    ),
    "too few samples": (
        {"westerhout2020": {"overlaps": {"samples": 999, "large_samples": 10}}},
        ["overlaps.samples", "overlaps.large_samples", "greater than or equal to 1000"],
    ),
    "cnn driven by the energy": (
        {"westerhout2020": {"fig2": {"variational": {"network": "cnn"}}}},
        ["fig2.variational.network", "'cnn' is not dense"],
    ),
    "average over more than the run": (
        {"westerhout2020": {"reconfiguration": {"average_over": 3000}}},
        ["westerhout2020.reconfiguration", "average_over = 3000", "iterations = 2000"],
    ),
    "distinct states twice over": (
        {"westerhout2020": {"dataset": {"replacement": False}}},
        ["tableX1.distinct", "distinct states already", "false"],
    ),
    "point twice": (
        {"westerhout2020": {"tableX1": {"points": [{"cluster": "square24", "j2": 0.5}] * 2}}},
        ["tableX1.points", "square24 at J2 = 0.5 listed twice"],
    ),
    "other cluster without a bond": (
        {"westerhout2020": {"tableX1": {"points": [{"cluster": "square24", "j2": 0.5, "lacking": "triangle24b47"}]}}},
        ["tableX1.points.0", "'triangle24b47' is not square24 without a bond", "leave it out"],
    ),
    "misspelt variant": ({"westerhout2020": {"tableX1": {"networks": ["dense2", "dense2slo"]}}}, ["'dense2slow'"]),
    "empty batch": ({"networks": {"dense1": {"batch": 0}}}, ["networks.dense1.batch", "greater than or equal to 1"]),
    "cnn on kagome": (
        {"westerhout2020": {"fig2": {"panels": [PANEL | {"cluster": "kagome24", "networks": ["cnn"]}]}}},
        ["'cnn'", "'kagome24'"],
    ),
    "dropout of a cnn": ({"networks": {"cnn": {"dropout": 0.1}}}, ["networks.cnn", "dropout", "only dense"]),
    "everything dropped": ({"networks": {"dense1": {"dropout": 1}}}, ["networks.dense1.dropout", "less than 1"]),
    "sites of a dense network": ({"networks": {"dense1": {"site_weights": True}}}, ["networks.dense1", "only cnn"]),
    "translates by the point group": (
        {"westerhout2020": {"figS5": {"network": "dense2translates"}}},
        ["westerhout2020.figS5.network", "'square30' is stored by its point group", "point_group_above to 30"],
    ),
    "dropout of a variational state": (
        {"westerhout2020": {"fig2": {"variational": {"network": "dense2dropout"}}}},
        ["fig2.variational.network", "dropout of 'dense2dropout'"],
    ),
    "even kernel": ({"networks": {"cnn": {"kernel": 4}}}, ["networks.cnn.kernel", "odd"]),
    "unknown lattice": (
        {"clusters": {"cube8": {"lattice": "cubic", "shape": [2, 4]}}},
        ["clusters.cube8: lattice: unknown lattice 'cubic'", "square"],
    ),
    "ring with two rows": (
        {"clusters": {"ladder": {"lattice": "ring", "shape": [8, 2]}}},
        ["clusters.ladder", "shape [N, 1]"],
    ),
    "odd ring": ({"clusters": {"ring7": {"lattice": "ring", "shape": [7, 1]}}}, ["clusters.ring7", "even"]),
    "couplings of a ring": (
        fig5(cluster="ring8"),
        ["westerhout2020.fig5.panels.0.cluster", "'ring8' has no J2 bonds"],
    ),
    "odd size": ({"mummaneni2026": {"sweep": {"sizes": [8, 9]}}}, ["mummaneni2026.sweep.sizes.1", "9 sites", "even"]),
    "size of a bond": ({"mummaneni2026": {"small": {"sizes": [2]}}}, ["small.sizes.0", "2 sites", "4 to 22"]),
    "size beyond exact sums": ({"mummaneni2026": {"density": {"size": 24}}}, ["density.size", "24 sites", "4 to 22"]),
    "size twice": ({"mummaneni2026": {"sweep": {"sizes": [8, 10, 8]}}}, ["sweep.sizes", "8 listed twice"]),
    "no hidden units": ({"mummaneni2026": {"sweep": {"alphas": [0, 1]}}}, ["sweep.alphas.0", "greater than or equal"]),
    "density twice": ({"mummaneni2026": {"density": {"alphas": [2, 2]}}}, ["density.alphas", "2 listed twice"]),
    "threshold of one": ({"mummaneni2026": {"importance": {"taus": [0.3, 1]}}}, ["importance.taus.1", "less than 1"]),
    "threshold of zero": ({"mummaneni2026": {"importance": {"tau": 0}}}, ["importance.tau", "greater than 0"]),
    "threshold that is not scanned": (
        {"mummaneni2026": {"importance": {"tau": 0.33}}},
        ["mummaneni2026.importance", "0.33 is not in taus"],
    ),
    "samples that the chains cannot share": (
        {"mummaneni2026": {"vmc": {"samples": 1000}}},
        ["vmc.samples", "1000", "paper.chains = 16", "1008"],
    ),
    "snapshot after the end": (
        {"mummaneni2026": {"vmc": {"snapshots": [0, 2000]}}},
        ["vmc.snapshots", "2000", "small.iterations = 1500"],
    ),
    "snapshot after the end of its own block": (
        {"mummaneni2026": {"polarised": {"snapshots": [3001]}}},
        ["polarised.snapshots", "3001", "polarised.iterations = 3000"],
    ),
    "negative shift": ({"mummaneni2026": {"vmc": {"shift": -1e-3}}}, ["vmc.shift", "greater than or equal to 0"]),
    "misspelt mode": ({"mummaneni2026": {"modes": ["papr"]}}, ["mummaneni2026.modes.0", "'paper' or 'sound'"]),
    "misspelt key of a study": ({"mummaneni2026": {"vmc": {"sample": 64}}}, ["vmc.sample", "did you mean 'samples'"]),
    "odd ring of a study": ({"ju2025": {"fig3": {"sizes": [60, 61]}}}, ["ju2025.fig3.sizes.1", "61 sites", "even"]),
    "kernel longer than the ring": (
        {"ju2025": {"fig3": {"sizes": [10, 60], "deep": {"sizes": [60]}}}},
        ["fig3.widths", "K = 12 is more than the 10 sites of fig3.sizes"],
    ),
    "kernel longer than the ring of the search": (
        {"ju2025": {"fig3": {"search": {"size": 10}}}},
        ["fig3.widths", "K = 12", "fig3.search.size"],
    ),
    "too many motifs to list": ({"ju2025": {"traces": {"widths": [17]}}}, ["traces.widths.0", "K = 17", "K = 16"]),
    "optima of wide motifs": ({"ju2025": {"table2": {"width": 9}}}, ["table2.width", "K = 9", "2 to 8"]),
    "optima of a short ring": (
        {"ju2025": {"tableS1": {"size": 10}}},
        ["tableS1.widths", "K = 6 needs a ring of 2K sites", "tableS1.size has 10"],
    ),
    "samples that many chains cannot share": (
        {"ju2025": {"fig3": {"samples": 1200}}},
        ["fig3.samples", "1200", "training.chains = 500", "1500"],
    ),
    "misspelt deep network": (
        {"ju2025": {"fig3": {"deep": {"networks": ["deep2"]}}}},
        ["fig3.deep.networks.0", "'deep2'", "deep2x4"],
    ),
    "deep network on a ring that is not shown": (
        {"ju2025": {"fig3": {"deep": {"sizes": [20]}}}},
        ["ju2025.fig3", "deep.sizes: [20] not in sizes"],
    ),
    "samples that the chains of deep networks cannot share": (
        {"ju2025": {"fig3": {"deep": {"samples": 550}}}},
        ["fig3.deep.samples", "550", "fig3.deep.chains = 100", "600"],
    ),
    "one chain beside no others": ({"ju2025": {"fig3": {"single": {"width": 5}}}}, ["single.width: 5", "widths"]),
    "one chain of a network that is not shown": (
        {"ju2025": {"fig3": {"networks": ["init"]}}},
        ["single.network: 'traj'", "networks"],
    ),
    "block of more than half a ring": (
        {"ju2025": {"entanglement": {"size": 12, "widths": [4, 8]}}},
        ["entanglement.widths", "K = 8", "entanglement.size has 12"],
    ),
    "long ring to list all states of": ({"ju2025": {"tableS1": {"size": 60}}}, ["tableS1.size", "60 sites", "4 to 22"]),
    "identities on a long ring": ({"ju2025": {"table1": {"size": 14}}}, ["table1.size", "14 sites", "6 to 12"]),
    "motifs of more than half a ring": ({"ju2025": {"table1": {"width": 5}}}, ["table1.width", "K = 5", "has 8"]),
    "kernel of more than a word": ({"ju2025": {"fig3": {"widths": [3, 61]}}}, ["fig3.widths.1", "K = 61", "60"]),
    "traces of a ring without lesser symmetry": ({"ju2025": {"traces": {"size": 6}}}, ["traces.size", "6 sites", "8"]),
    "misspelt symmetry forcing": ({"ju2025": {"traces": {"networks": ["trj"]}}}, ["traces.networks.0", "'traj'"]),
    "iteration that is not kept": (
        {"ju2025": {"traces": {"shown": [0, 7]}}},
        ["ju2025.traces", "[7] are not kept", "snapshot_every = 5"],
    ),
    "ring too long for an exact state": (
        {"ju2025": {"entanglement": {"sizes": [24]}}},
        ["entanglement.sizes.0", "24 sites", "4 to 22"],
    ),
    "no cluster": ({"clusters": {"own": {}}}, ["clusters.own", "lattice and shape, or bonds, or file"]),
    "lattice without shape": ({"clusters": {"own": {"lattice": "square"}}}, ["clusters.own", "lattice and shape"]),
    "lattice and bonds": (own(lattice="square", shape=[4, 4]), ["clusters.own", "bonds and lattice are both given"]),
    "file and bonds": (own(file="reference/lattices/kagome18.json"), ["clusters.own", "file and bonds are both given"]),
    "positions of a lattice": (
        {"clusters": {"own": {"lattice": "square", "shape": [4, 4], "positions": [[0, 0]]}}},
        ["clusters.own", "positions: belongs to a cluster given by its bonds"],
    ),
    "bond that is wrong": (own(bonds={"j1": [[0, 0]]}), ["clusters.own", "bonds.j1.0: joins site 0 to itself"]),
    "fewer sites than in bonds": (own(sites=8), ["clusters.own", "bonds.j1.7: site 8 is out of range"]),
    "file that is not there": (
        {"clusters": {"own": {"file": "clusters/lost.json"}}},
        ["clusters.own.file", "clusters/lost.json: there is no such file"],
    ),
    "file of another kind": (
        {"clusters": {"own": {"file": "presets/smoke.yaml"}}},
        ["clusters.own.file", "presets/smoke.yaml: bonds: missing"],
    ),
    "chain of forty sites": (own(bonds={"j1": open_chain(40)}), ["clusters.own", "40 sites: too many", "36"]),
    "chain that has too few symmetries": (
        own(bonds={"j1": open_chain(32)}),
        ["clusters.own", "32 sites with 4 symmetries", "150 million orbits"],
    ),
    "cnn without a torus": (
        own() | {"westerhout2020": {"fig5": {"network": "cnn", "panels": [{"cluster": "own", "j2": [0]}]}}},
        ["westerhout2020.fig5.network", "'cnn'", "needs a torus", "'own'", "dense"],
    ),
    "couplings of bonds without J2": (own() | fig5(cluster="own"), ["fig5.panels.0.j2", "'own' has no J2 bonds"]),
    "word for true as a coupling": (fig5(j2=["yes"]), ["fig5.panels.0.j2.0", "number", "yes"]),
    "true as a coupling": (fig5(j2=[True]), ["fig5.panels.0.j2.0", "a number, not true"]),
    "time of day as a number": ({"seed": "1:30"}, ["seed", "integer", "1:30"]),
    "half a network": ({"westerhout2020": {"fig5": {"repeats": 2.5}}}, ["fig5.repeats", "integer", "2.5"]),
    "true as a learning rate": ({"networks": {"dense1": {"learning_rate": True}}}, ["learning_rate", "not true"]),
    "no memory for a layer": (
        {"networks": {"dense1": {"hidden": [10**9]}}},
        ["networks.dense1.hidden", "GB of memory", "lower it"],
    ),
    "no memory for hidden units": (
        {"mummaneni2026": {"small": {"alpha": 10**9}}},
        ["mummaneni2026.small.alpha", "8000000000 hidden units", "GB of memory"],
    ),
    "no memory for samples": (
        {"westerhout2020": {"reconfiguration": {"samples": 10**8}}},
        ["westerhout2020.reconfiguration.samples", "GB of memory"],
    ),
    "no memory for a deep network": (
        {"ju2025": {"fig3": {"deep": {"networks": ["deep9x999999999"]}}}},
        ["ju2025.fig3.deep.networks", "'deep9x999999999'", "GB of memory"],
    ),
    "no memory for a primer": ({"kufel2024": {"fig8": {"hidden": 10**9}}}, ["kufel2024.fig8.hidden", "GB of memory"]),
    "endless list of networks": (
        {"westerhout2020": {"fig5": {"repeats": 10**9}}},
        ["fig5.repeats", "less than or equal to 10000"],
    ),
    "name that no file can have": (
        {"networks": {"d" * 300: {"architecture": "dense", "learning_rate": 0.1}}},
        ["'dddddddddddddddddddd…'", "at most 60"],
    ),
    "name of a built-in cluster": (
        {"clusters": {"square24": {"lattice": "square", "shape": [4, 6]}}},
        ["clusters.square24", "built in"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_name_the_key_and_the_way_out(mistake):
    overrides, words = MISTAKES[mistake]
    with pytest.raises(ConfigError) as error:
        load(ROOT, overrides)
    for word in words:
        assert word in str(error.value)


def test_clusters_of_a_lattice_have_the_settings_they_always_had():
    given = load(ROOT, {"clusters": {"square20": {"lattice": "square", "shape": [5, 4]}}})
    assert given.cluster_settings("square20") == {"name": "square20", "lattice": "square", "shape": [5, 4]}
    assert given.cluster_settings("square16") == {"name": "square16", "lattice": "square", "shape": [4, 4]}


def test_a_cluster_of_bonds_has_them_in_its_settings():
    given = load(ROOT, own(bonds={"j1": [*open_chain(10)[::-1], [9, 0]]}))
    settings = json.loads(json.dumps(given.cluster_settings("own")))
    assert (settings["lattice"], settings["shape"]) == ("bonds", [10, 1])
    assert settings["bonds"] == {"j1": sorted([*open_chain(10), [0, 9]]), "j2": []}
    assert cluster_of(settings).j1.tolist() == settings["bonds"]["j1"]


def test_given_symmetries_of_a_cluster_reach_it():
    turned = list(range(9, -1, -1))
    for given, used in ({"flip": turned}, [turned]), ({}, [list(range(10))]):
        settings = load(ROOT, own(symmetries=given)).cluster_settings("own")
        assert "symmetries" not in settings  # that of a Hamiltonian says which kinds are used
        assert [move.tolist() for move in cluster_of(settings).translations.values()] == used


def test_a_cluster_of_bonds_is_searched_by_involutions_where_its_orbits_fit():
    """No level is left out then; real characters of the turns of a wheel would miss its ground state."""
    wheel = {"j1": [[0, i] for i in range(1, 26)], "j2": [[i, i % 25 + 1] for i in range(1, 26)]}
    ring = {"j1": [[i, (i + 1) % 34] for i in range(34)]}
    given = load(ROOT, {"clusters": {"wheel": {"bonds": wheel}, "own": {"lattice": "square", "shape": [7, 4]}}})
    assert Work(given).cell("hamiltonian", "wheel").settings()["symmetries"] == ["translations", "spin_flip"]
    assert given.ground_state_symmetries("own") == ["translations", "spin_flip", "point"]
    large = load(ROOT, own(bonds=ring))
    assert large.ground_state_symmetries("own") == ["translations", "spin_flip", "point"]


def test_a_cluster_from_a_file_is_the_one_of_its_bonds():
    listed = json.loads((ROOT / "reference/lattices/kagome18.json").read_text())
    bonds = {name: listed[name] for name in ("j1", "j2")}
    given = load(ROOT, {"clusters": {"own": {"file": "reference/lattices/kagome18.json"}}})
    typed = load(ROOT, own(bonds=bonds, positions=listed["positions"]))
    assert given.cluster_settings("own") == typed.cluster_settings("own")


def test_a_cluster_without_j2_bonds_may_be_shown_without_coupling():
    given = load(
        ROOT, own() | {"westerhout2020": {"fig5": {"epsilon": 0.1, "panels": [{"cluster": "own", "j2": [0]}]}}}
    )
    assert given.cluster("own") == ("bonds", (10, 1))


def test_couplings_may_be_negative():
    given = load(ROOT, fig5(j2=[-0.5, -0.0, 0.5]))
    assert given.westerhout2020.fig5.panels[0].j2 == (-0.5, 0.0, 0.5)
    assert [coupling_name(j2) for j2 in given.westerhout2020.fig5.panels[0].j2] == ["j2_-0.5", "j2_0", "j2_0.5"]


def test_the_lower_row_may_be_left_out():
    assert load(ROOT, lower_row()).westerhout2020.fig2.variational.panels == ()


def test_a_lattice_may_have_two_panels_without_a_lower_row():
    panels = [PANEL, PANEL | {"cluster": "square16"}]
    given = load_with(fig2={"panels": panels, "variational": {"panels": []}})
    assert [panel.cluster for panel in given.westerhout2020.fig2.panels] == ["square24", "square16"]


def test_shift_may_be_zero_and_snapshots_come_in_any_order():
    given = load(ROOT, {"mummaneni2026": {"vmc": {"shift": 0, "snapshots": [30, 0, 10]}}}).mummaneni2026.vmc
    assert given.shift == 0
    assert given.snapshots == (0, 10, 30)


def test_numbers_of_a_command_line_may_come_as_text():
    given = load(ROOT, {"mummaneni2026": {"sweep": {"sizes": ["8", "10"], "repeats": "3"}}}).mummaneni2026.sweep
    assert (given.sizes, given.repeats) == ((8, 10), 3)


def test_whole_numbers_may_be_written_with_an_exponent():
    given = load_with(training={"max_updates": 4e4}).westerhout2020.training
    assert (given.max_updates, type(given.max_updates)) == (40000, int)


def test_a_wrong_entry_does_not_make_its_list_too_short():
    with pytest.raises(ConfigError) as error:
        load(ROOT, fig5(cluster=3))
    assert str(error.value).count("\n") == 1
    with pytest.raises(ConfigError, match=r"fig5\.panels: tuple should have at least 1 item"):
        load_with(fig5={"panels": []})


def test_files_and_words_of_a_call_are_read_anew(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 010\n")
    own = {"seed": 8, "device": "cpu"}  # as Snakemake read them
    call = SimpleNamespace(config_args=["device=cpu"], configfiles=[file], overwrite_config=own)
    assert asked(call, own) == {"seed": 10, "device": "cpu"}
    assert asked(call, {"seed": 3}) == {"seed": 3}  # given by a workflow that has this one as a module
    file.write_text("seed: 1\nseed: 2\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: line 1, column 1: .*key seed given twice"):
        asked(call, own)


def numbers_of(block, prefix=""):
    """Keys of all numbers in the schema, and a value of theirs with one of them replaced by `it`."""
    for name, field in block.model_fields.items():
        inner = configuration_page.nested(field.annotation)
        if inner and inner[0] == "block":
            yield from numbers_of(inner[1], f"{prefix}{name}.")
        elif not inner and re.search(r"number|integer", configuration_page.type_name(field.annotation)):
            yield f"{prefix}{name}", "list" in configuration_page.type_name(field.annotation)


def nested_in(key, value):
    """A configuration with one value."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


NUMBERS = list(numbers_of(Config))


def test_the_schema_has_numbers():
    assert len(NUMBERS) > 100


WORK = Work(load(ROOT, {}))


def six(value):
    """The number with six digits, as people write one."""
    return float(f"{value:.6g}")


@pytest.mark.parametrize("value", [True, "yes", "1:30", "", {}])
def test_what_is_no_number_is_refused_where_a_number_stands(value):
    wrong: dict = {}
    for key, listed in NUMBERS:
        wrong = merge(wrong, nested_in(key, [value] if listed else value))
    with pytest.raises(ConfigError) as error:
        load(ROOT, wrong)
    for key, listed in NUMBERS:
        assert f"{key}{'.0' if listed else ''}: " in str(error.value)


@hypothesis.given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.floats(-2, 2).map(six))
def test_every_accepted_coupling_is_that_of_its_file_name(value):
    """Schema and names of files agree: what the schema accepts is read back from the path of its ground state."""
    try:
        j2 = TypeAdapter(Coupling).validate_python(value)
    except ValidationError:
        return
    assert WORK.cell("ground_state", f"kagome24/{coupling_name(j2)}").settings()["j2"] == j2 == value


@pytest.mark.parametrize("j2", [1e6, 1e-6, -123456])
def test_a_coupling_in_scientific_notation_can_be_built(j2):
    config = load(ROOT, {"scale": "smoke", **fig5(cluster="kagome12", j2=[j2])})
    work = Work(config)
    made = {f"{stage}/{path}" for stage, path in work.cells}
    (file,) = {file for file in work.ground_states if file.endswith(f"kagome12/{coupling_name(j2)}.h5")}
    assert work.cell(*work.origin(file)).settings()["j2"] == j2
    assert {name for name in made if name.startswith("dataset/") and coupling_name(j2) in name}


def test_several_mistakes_are_reported_together():
    with pytest.raises(ConfigError) as error:
        load_with(fig2={"epsilon": 2}, fig5={"repeats": 0})
    assert "fig2.epsilon" in str(error.value)
    assert "fig5.repeats" in str(error.value)


def test_broken_yaml_names_the_file(tmp_path):
    (tmp_path / "config.yaml").write_text("a: [1,")
    with pytest.raises(ConfigError, match=r"config\.yaml: line 1, column 7: not valid YAML"):
        load(tmp_path, {})


def test_a_key_given_twice_is_an_error(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 1\nseed: 2\n")
    with pytest.raises(ConfigError, match=r"config\.yaml.*key seed given twice"):
        load(tmp_path, {})


def test_missing_config_says_where_to_run(tmp_path):
    with pytest.raises(ConfigError, match="run from the project's folder"):
        load(tmp_path, {})


def test_reference_page_is_up_to_date():
    assert configuration_page.main(ROOT / "docs/configuration.md", check=True) == 0


def test_every_key_of_the_files_is_on_the_reference_page():
    page = configuration_page.page()
    for name in ("config.yaml", "presets/smoke.yaml", "presets/paper.yaml"):
        for key in keys(yaml.safe_load((ROOT / name).read_text())):
            assert f"`{key}`" in page or f"`{key}." in page, key


def keys(values, prefix=""):
    for name, value in values.items():
        name = "<name>" if prefix in ("networks.", "clusters.") else name
        if isinstance(value, dict) and name != "band":  # a map by network, described as one key
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name
