"""Forges on loopback: one model of requests, behind the APIs of GitLab and GitHub."""
