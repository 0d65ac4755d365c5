"""Invented runs behind Fig. X3 of ju2025, as the stage writes them."""

import numpy as np
import pandas as pd

GROUND, TRIPLET = -23.205146, -23.055557
TIMES = {"original": 100, "init": 80, "traj": 50}  # T_cv, window 5; the first seed of the first network is stuck


def equal_runs() -> pd.DataFrame:
    """Kernel sizes 3 and 6, steps 1 and 10, three seeds; T_cv of seed s is 1 + s/10 times that of the network."""
    rows = [
        {"n_sites": 60, "width": width, "network": network, "run_kind": "equal", "run": seed, "seed": seed,
         "learning_rate": 0.03, "steps": steps, "n_parameters": 2 * width + 2, "status": "cap", "iterations": 500,
         "stuck": stuck, "why_constant": "dead" if stuck else "", "energy": -60 / 59 if stuck else GROUND + 1 / width,
         "energy_error": 0.01, "exact_energy": np.nan, "variance": 1.0, "autocorrelation_time": 1.0,
         "t_cv_5": time * (1 + seed / 10), "t_cv_10": time * (1 + seed / 10), "reached_5": True, "reached_10": True,
         "noise_5": 1e-3, "noise_10": 1e-3, "samples": 1000, "ground_energy": GROUND, "triplet_energy": TRIPLET}
        for width in (3, 6) for network, time in TIMES.items() for steps in (1, 10) for seed in range(3)
        for stuck in [network == "original" and width == 3 and seed == 0]
    ]  # fmt: skip
    return pd.DataFrame(rows)
