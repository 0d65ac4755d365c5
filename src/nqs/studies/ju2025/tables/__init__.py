"""Tables behind the figures."""
