"""Variational Monte Carlo of many models at once in PyTorch, for GPUs."""
