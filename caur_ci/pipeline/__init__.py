"""The journeys of the CI side: read, plan, apply, publish, follow up."""
