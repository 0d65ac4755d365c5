"""Analyses: arrays in, tidy tables out."""
