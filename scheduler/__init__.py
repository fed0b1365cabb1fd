"""Builds, signs and publishes what the CI side asked for: queue, workers, database runner."""
