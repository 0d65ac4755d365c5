"""What every part uses and that knows no physics: errors, files, checkpoints, progress, seeds, provenance."""
