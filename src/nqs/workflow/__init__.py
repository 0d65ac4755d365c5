"""The workflow: configuration, hashes of the code, plan, command line."""
