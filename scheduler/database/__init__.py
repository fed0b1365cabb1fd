"""The database runner: checks what workers delivered, signs it and publishes it."""
