"""The hand-over documents in `.ci/`, ours and those of the existing system."""
