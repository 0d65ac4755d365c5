"""The statements of the primer, tested on our tables."""
