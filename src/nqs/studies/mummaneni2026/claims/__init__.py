"""The paper's statements, tested on our tables."""
