"""Where new PKGBUILDs come from, and what changed in them."""
