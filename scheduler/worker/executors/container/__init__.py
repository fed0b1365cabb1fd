"""Builds in a container of their own, by podman or docker."""
