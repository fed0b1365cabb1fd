"""What an on-schedule run decided about each package, before anything is done about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
from caur_ci.plaintext import code_in_markdown, in_markdown, link_in_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.environment import Secrets

# GitHub takes a megabyte of Markdown; whoever needs all of it has JSON and the ledger.
_MAX_ROWS = 1000
_MAX_CELL = 300
# When the AUR is out of reach, that is one thing to tell, not thousands.
_ALIKE = 10


class ScheduleAction(StrEnum):
    """What happens to a package, in the order in which it is told."""

    ALARM = "alarm"  # other files that may be an attack: as review or held, and told first
    UPDATE = "update"  # other files are taken over
    BUILD = "build"  # built again with the files that it has
    BUMP = "bump"  # built again because of a library, with a higher pkgrel
    REVIEW = "review"  # other files are put to review
    HELD = "held"  # needs a review that cannot be had
    WAITING = "waiting"  # something new that is not to be had yet
    FAILED = "failed"
    GONE = "gone"
    UNCHANGED = "unchanged"


_ORDER = {action: place for place, action in enumerate(ScheduleAction)}
_DONE = {
    ScheduleAction.ALARM: "alarmed",
    ScheduleAction.UPDATE: "updated",
    ScheduleAction.BUILD: "built again",
    ScheduleAction.BUMP: "bumped",
    ScheduleAction.REVIEW: "put to review",
    ScheduleAction.HELD: "held",
    ScheduleAction.WAITING: "waiting",
    ScheduleAction.FAILED: "failed",
    ScheduleAction.GONE: "gone",
    ScheduleAction.UNCHANGED: "unchanged",
}


class Row(NamedTuple):
    """A line of the plan as a table for people. What is from outside is not made harmless yet."""

    package: str
    action: ScheduleAction
    versions: str
    reason: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDecision:
    """What happens to one package, and why.

    `before` and `after` are versions, `link` is a page about the change. `remarks` are told
    whatever is decided. `builds` tells whether a build is asked for. `output` is what the
    package's own hook printed. `group` is the rebuild group that it is built in, and `publish` how
    that is published; see `PackageRequest`. `judgement` is what the judge says of the files, as it
    is told to machines; empty where there are no other files.
    """

    package: str
    action: ScheduleAction
    reason: str
    before: str = ""
    after: str = ""
    link: str = ""
    remarks: tuple[str, ...] = ()
    builds: bool = False
    build_class: str | None = None
    output: str = ""
    group: str = ""
    publish: str = "together"
    judgement: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_reportable(self) -> bool:
        """Whether there is anything to tell about the package."""
        return self.action is not ScheduleAction.UNCHANGED or bool(self.remarks)

    @property
    def versions(self) -> str:
        """From which version to which."""
        if self.before == self.after:
            return self.before
        return f"{self.before} → {self.after}".strip() if self.after else self.before

    @property
    def account(self) -> str:
        """The reason and all remarks, for people."""
        return "; ".join(part for part in (self.reason, *self.remarks) if part)

    def redacted(self, secrets: Secrets) -> ScheduleDecision:
        """Return the decision without secrets in what was said from outside."""
        return replace(
            self,
            reason=secrets.redact(self.reason),
            link=secrets.redact(self.link),
            remarks=tuple(map(secrets.redact, self.remarks)),
            output=secrets.redact(self.output),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the decision for machines."""
        return {
            "package": self.package,
            "action": self.action.value,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
            "link": self.link,
            "remarks": list(self.remarks),
            "builds": self.builds,
            "build_class": self.build_class,
            "output": self.output,
            "group": self.group,
            "judgement": dict(self.judgement),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlan:
    """The decisions of one on-schedule run, made at the commit `head`, for packages with `trigger`
    only if there is one.
    """

    head: str
    trigger: str = ""
    decisions: tuple[ScheduleDecision, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reportable(self) -> tuple[ScheduleDecision, ...]:
        """The decisions that people want to hear of, the same kind together."""
        found = (decision for decision in self.decisions if decision.is_reportable)
        return tuple(sorted(found, key=lambda d: (_ORDER[d.action], d.package)))

    @property
    def failed(self) -> tuple[ScheduleDecision, ...]:
        """The decisions about packages that something went wrong with."""
        return tuple(
            decision for decision in self.reportable if decision.action is ScheduleAction.FAILED
        )

    def builds(self) -> list[PackageDecision]:
        """Return what the build side is asked for."""
        return [
            PackageDecision(
                decision.package,
                PackageAction.BUILD,
                f"{decision.versions}: {decision.reason}" if decision.after else decision.reason,
                decision.build_class,
                group=decision.group,
                publish=decision.publish,
            )
            for decision in self.decisions
            if decision.builds
        ]

    @property
    def counts(self) -> Mapping[ScheduleAction, int]:
        """How many packages have which action, those that occur."""
        counted = Counter(decision.action for decision in self.decisions)
        return {action: counted[action] for action in ScheduleAction if counted[action]}

    @property
    def summary(self) -> str:
        """How many packages have which action, in words."""
        words = [f"{count} {_DONE[action]}" for action, count in self.counts.items()]
        return ", ".join(words) or "no packages"

    def redacted(self, secrets: Secrets) -> SchedulePlan:
        """Return the plan without secrets in what was said from outside."""
        return replace(
            self,
            decisions=tuple(decision.redacted(secrets) for decision in self.decisions),
            warnings=tuple(map(secrets.redact, self.warnings)),
            notes=tuple(map(secrets.redact, self.notes)),
        )

    def rows(self) -> list[Row]:
        """Return what is told, with very many packages that the same is told of made shorter."""
        rows: list[Row] = []
        told: Counter[tuple[ScheduleAction, str]] = Counter()
        for decision in self.reportable:
            row = Row(
                decision.package,
                decision.action,
                decision.versions,
                decision.account,
                decision.link,
            )
            alike = (decision.action, decision.account)
            told[alike] += not decision.after
            if told[alike] <= _ALIKE:
                rows.append(row)
        more = {alike: count - _ALIKE for alike, count in told.items() if count > _ALIKE}
        rows += (Row(f"… {n} more", action, "", text, "") for (action, text), n in more.items())
        return sorted(rows, key=lambda row: _ORDER[row.action])

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines, with every package."""
        decisions = sorted(self.decisions, key=lambda decision: decision.package)
        return {
            "head": self.head,
            "trigger": self.trigger,
            "counts": {action.value: count for action, count in self.counts.items()},
            "decisions": [decision.to_dict() for decision in decisions],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    def to_markdown(self) -> str:
        """Return the plan as a page, whose outside parts are harmless."""
        return "\n".join(self._markdown_lines()) + "\n"

    def ledger_entries(self, *, run: str, link: str, now: float) -> list[LedgerEntry]:
        """Return what is to be remembered of the run `run`, whose log is at `link`."""
        return [
            LedgerEntry(
                time=int(now),
                run=run,
                commit=self.head,
                package=decision.package,
                decision=decision.action.value,
                reason=decision.account,
                link=link,
                page=decision.link,
                before=decision.before,
                after=decision.after,
            )
            for decision in self.reportable
        ]

    def _markdown_lines(self) -> Iterator[str]:
        trigger = f", trigger {code_in_markdown(self.trigger)}" if self.trigger else ""
        yield f"### on-schedule at {code_in_markdown(self.head[:12])}{trigger}"
        yield ""
        yield self.summary
        rows = self.rows()
        if rows:
            yield from ("", "| package | decision | version | reason |", "|-|-|-|-|")
            yield from map(_markdown_row, rows[:_MAX_ROWS])
        if len(rows) > _MAX_ROWS:
            yield from ("", f"… and {len(rows) - _MAX_ROWS} more")
        for title, texts in (("Warnings", self.warnings), ("Notes", self.notes)):
            if texts:
                yield from ("", f"**{title}**", "")
                yield from (f"- {in_markdown(text[:_MAX_CELL])}" for text in texts[:_MAX_ROWS])


def _markdown_row(row: Row) -> str:
    link = link_in_markdown("more", row.link)
    reason = in_markdown(row.reason[:_MAX_CELL])
    cells = (
        code_in_markdown(row.package),
        row.action.value,
        code_in_markdown(row.versions),
        f"{reason} ({link})" if link else reason,
    )
    return f"| {' | '.join(cells)} |"
