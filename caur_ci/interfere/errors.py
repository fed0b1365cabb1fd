"""What is wrong with interfere."""

from caur_ci.errors import InputError


class InterfereError(InputError):
    """An interfere file or a bump that cannot be applied."""
