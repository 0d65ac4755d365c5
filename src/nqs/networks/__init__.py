"""Networks trained with supervision: parameters by name and shape, and what they compute."""
