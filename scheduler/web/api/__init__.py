"""What programs ask of the server: JSON, logs, and the requests of the existing manager."""
