"""Westerhout et al. 2020: generalisation of sign structures in frustrated magnets."""
