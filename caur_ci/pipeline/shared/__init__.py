"""What all journeys share: the refs they meet at, their memory, the documents they hand over."""
