"""Many builders and very many packages against one Redis."""
