"""The ledger of claims: what a source states, what our tables say about it, and the verdict."""
