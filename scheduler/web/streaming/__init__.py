"""What is told while it happens: logs that grow, and events; one look for any number of readers."""
