"""The source repositories: PKGBUILD folders at the commits that were scheduled."""
