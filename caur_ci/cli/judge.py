"""`caur-ci judge`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from caur_ci.judge import Judgement
    from caur_ci.judge.history import Replay

_CODES = 40


def judge(
    context: typer.Context,
    *,
    history: Annotated[
        Path,
        typer.Option(
            "--history",
            metavar="REPO",
            help="The repository whose past updates are judged again.",
            show_default=False,
        ),
    ],
    since: Annotated[
        str,
        typer.Option("--since", metavar="DATE", help="Only updates since then, as git reads it."),
    ] = "",
    subject: Annotated[
        str,
        typer.Option("--subject", metavar="TEXT", help="How the messages of updates begin."),
    ] = "chore(update)",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="How many are judged at once. Default: one a core."
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="A trust policy: also tell how many updates it brings before people. What it says "
            "of maintainers and ages is left out, since a history does not know these.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Judge again the updates in a repository's history, and print how many people would see.

    The share of each verdict and of each finding, and the files that took longest. Changes of the
    repository's own files (`.CI`) are no updates and left out. Nothing is changed.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415 - keeps `--help` fast
    from caur_ci.git import GitRepository  # noqa: PLC0415
    from caur_ci.judge.history import is_major, replay, updates  # noqa: PLC0415

    session = session_of(context)
    git = GitRepository.open(history)
    found = updates(git, since=since, subject=subject)
    session.note(f"{len(found):,} updates")
    is_for_people = is_major if policy is None else _by(policy)
    result = replay(git, found, jobs=jobs or os.cpu_count() or 1, is_for_people=is_for_people)
    if as_json:
        session.print_plain(to_json(result.to_dict()))
    else:
        _show(session, result, has_policy=policy is not None)
    return ExitCode.OK


def _by(file: Path) -> Callable[[str, Judgement], bool]:
    """Return what tells whether a policy brings a change before people. Raises ConfigError."""
    from caur_ci.policy import Action, decide, policy_in  # noqa: PLC0415 - keeps `--help` fast

    policy = policy_in(file)

    def is_for_people(package: str, judgement: Judgement) -> bool:
        decided = decide(policy, package, judgement, wants_reviews=True, now=0)
        return decided.action is not Action.APPLY

    return is_for_people


def _show(session: Session, result: Replay, *, has_policy: bool) -> None:
    judged = result.judged
    lines = [f"{judged:,} updates judged"]
    lines += [
        f"  {verdict.value:<10}{count:>8,}  {_share(count, judged)}"
        for verdict, count in result.verdicts.most_common()
    ]
    lines.append(f"  {'danger':<10}{result.dangers:>8,}  {_share(result.dangers, judged)}")
    if has_policy:
        share = _share(result.for_people, judged)
        lines.append(f"  {'to people':<10}{result.for_people:>8,}  {share}  by the policy")
    lines += ["", f"{'finding':<24}{'updates':>8}  share   the only reason"]
    lines += [
        f"  {code:<22}{count:>8,}  {_share(count, judged)}  {result.alone[code] or ''}"
        for code, count in result.codes.most_common(_CODES)
    ]
    lines += ["", "slowest"]
    lines += [
        f"  {seconds:6.2f} s  {update.package} ({update.commit[:12]})"
        for seconds, update in result.slowest
    ]
    session.print_plain("\n".join(lines))
    if result.unreadable:
        session.warn(f"{result.unreadable} updates could not be read")


def _share(count: int, judged: int) -> str:
    return f"{count / judged:6.1%}" if judged else ""
