"""What Westerhout et al. (2020) state, tested on our tables; `ledger` lists the checks."""
