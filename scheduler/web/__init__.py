"""The web server: logs, the queue, packages and builds, for browsers and for programs."""
