"""The journey of pushed commits: from the tag `scheduled` to HEAD, and what is built for it."""
