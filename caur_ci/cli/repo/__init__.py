"""`caur-ci repo`: the published repositories, on the machine where they are."""
