"""Pages of the documentation that quote results: numbers, thumbnails and verdicts of the archive, written anew."""
