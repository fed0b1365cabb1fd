"""What people ask for in comments at the forge."""
