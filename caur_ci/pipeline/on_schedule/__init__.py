"""The half-hourly journey: what is new where packages come from, and what follows from it."""
