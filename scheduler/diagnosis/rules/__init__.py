"""What lines of a log mean: one module for each kind of tools."""

from scheduler.diagnosis.rules.catalogue import Meaning, meaning_of
from scheduler.diagnosis.rules.rule import Rank

__all__ = ["Meaning", "Rank", "meaning_of"]
