"""Branch `caur` and its parts: what this project remembers from run to run."""
