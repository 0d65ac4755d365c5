"""Exact answers: ground states of clusters, sums over all states of rings, Bethe ansatz, transfer matrices."""
