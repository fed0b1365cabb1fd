"""`caur-ci queue`: what operators see of the queue and do to it, one module per kind of command."""
