"""All in one process tree: pipeline, queue, workers, database runner, and the way to readers."""
