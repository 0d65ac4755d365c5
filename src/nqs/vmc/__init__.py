"""Variational Monte Carlo: samplers, local energies, stochastic reconfiguration, the loop."""
