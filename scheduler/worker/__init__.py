"""The worker: gets a job, builds it with makepkg, puts the packages into the landing zone."""
