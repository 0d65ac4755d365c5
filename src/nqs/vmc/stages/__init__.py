"""Stages of the workflow that run variational Monte Carlo."""
