"""Checks of the paper's claims, by theme: what its statements mean for our tables."""
