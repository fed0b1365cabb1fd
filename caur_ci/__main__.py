"""`python -m caur_ci` is the same as `caur-ci`."""

from caur_ci.cli.main import main

if __name__ == "__main__":
    main()
