"""The figures of the primer; each function is short enough for a lecture."""
