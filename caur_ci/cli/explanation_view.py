"""Why a build failed, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.text import Text

    from scheduler.diagnosis import Differences, Explanation, FirstError, Parting

_SHOWN_PACKAGES, _SHOWN_COMMITS = 8, 5
_SHORT_ID = 12


def print_explanation(console: Console, explanation: Explanation, *, command: bool = True) -> None:
    """Print all of an explanation, with the `command` that builds the same or without it."""
    for line in _lines(explanation, command=command):
        console.print(line)


def in_short(explanation: Explanation) -> str:
    """Return in one sentence what the log tells, nothing where it tells nothing."""
    error = explanation.error
    if error is None:
        return ""
    place = f"{explanation.step}, line {error.line.number} of its log"
    if not error.certain:
        return f"it stood at {place}: {one_line(error.line.text)}"
    tool = f", by {error.tool}" if error.tool else ""
    return f"the first error, in {place}{tool}: {one_line(error.line.text)}"


def _lines(explanation: Explanation, *, command: bool) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - slow to import

    kind = f" ({explanation.failure})" if explanation.failure else ""
    yield Text(f"{explanation.identity} failed{kind}", style="bold")
    if explanation.reason:
        yield Text(f"  {one_line(explanation.reason)}")
    if explanation.error is not None:
        yield from _error(explanation.step, explanation.error)
    if explanation.parting is not None:
        yield Text(_parting(explanation.parting))
    if explanation.differences is not None:
        yield from map(Text, _differences(explanation.differences))
    yield Text(f"  {explanation.hint}", style="cyan")
    if command:
        yield Text(f"  The same here: {explanation.command}")


def _error(step: str, error: FirstError) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - slow to import

    what = "The first error" if error.certain else "Where it stood"
    tool = f", by {error.tool}" if error.tool else ""
    yield Text(f"  {what}, in {step}{tool}:")
    width = len(str(error.line.number + len(error.after)))
    for line in (*error.before, error.line, *error.after):
        is_it = line is error.line
        mark = ">" if is_it else " "
        text = f"  {mark} {line.number:>{width}}  {line.text}"
        yield Text(text, style="bold red" if is_it else "dim")


def _parting(parting: Parting) -> str:
    text = f"  The log of the last good build, job {parting.job_id}, "
    text += f"goes on with {parting.missing}" if parting.missing else "has the same steps"
    if parting.line is not None:
        line = parting.line
        text += f"; it has nothing like line {line.number}: {one_line(line.text)}"
    return text


def _differences(differences: Differences) -> Iterator[str]:
    yield f"  Since that build, of commit {differences.commit[:_SHORT_ID]}:"
    commits = differences.commits
    if differences.same_folder:
        yield "    the package's folder is the same"
    elif commits:
        yield f"    {len(commits)} commit{'s' * (len(commits) > 1)} to the package's folder"
        for each in commits[:_SHOWN_COMMITS]:
            yield f"      {each.commit[:_SHORT_ID]} {one_line(each.subject)}"
    elif differences.same_folder is False:
        yield "    the package's folder has changed"
    if differences.installed:
        shown = [
            f"{each.name} {each.before or 'not there'} → {each.now or 'gone'}"
            for each in differences.installed[:_SHOWN_PACKAGES]
        ]
        more = len(differences.installed) - len(shown)
        rest = f", and {more} more" if more else ""
        yield f"    installed: {one_line(', '.join(shown))}{rest}"
    for contrast in differences.contrasts:
        yield f"    {contrast.what}: {one_line(contrast.before)} → {one_line(contrast.now)}"
