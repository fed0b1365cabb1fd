"""`caur-ci`, and `python -m caur_ci`, which is the same."""

from caur_ci.cli import interruption


def main() -> None:
    """Run the command line and exit."""
    interruption.end_silently()
    from caur_ci.cli.main import main as run  # noqa: PLC0415 - takes a while

    run()


if __name__ == "__main__":
    main()
