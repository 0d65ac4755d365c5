"""Variational wave functions and what samplers and optimisers ask of them."""
