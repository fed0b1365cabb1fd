"""A repository of PKGBUILD folders that works from the first push on."""
