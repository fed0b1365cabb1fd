"""Where builds happen: in a container, or on this machine."""
