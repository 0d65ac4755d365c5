"""The rows behind the figures of the primer; each module is one figure."""
