"""Ju et al. 2025: what convolutional networks learn on spin rings."""
