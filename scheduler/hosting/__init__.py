"""Where readers find what was published: publishing targets, and what is brought there."""
