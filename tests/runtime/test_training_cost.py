"""What the training behind a table cost."""

import pandas as pd

from nqs.runtime.training_cost import training_cost


def test_cost_adds_all_networks_and_names_their_devices(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    pd.DataFrame({"wall_s": [1.5, 2.0], "device": ["cpu", "cpu"], "status": "cap"}).to_csv(paths[0])
    pd.DataFrame({"wall_s": [4.0], "device": ["cuda"], "status": "cap"}).to_csv(paths[1])
    assert training_cost(paths) == {"training_wall_s": 7.5, "devices": ["cpu", "cuda"]}
    assert training_cost([]) == {"training_wall_s": 0.0, "devices": []}
