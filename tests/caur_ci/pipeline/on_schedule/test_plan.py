"""The plan of on-schedule as people, machines and the ledger get it."""

from __future__ import annotations

import json

from caur_ci.environment import Secrets
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.shared.memory.ledger import Ledger

HEAD = "0123456789abcdef" * 2 + "01234567"


def decision(
    package: str, action: ScheduleAction, reason: str = "", **more: str
) -> ScheduleDecision:
    return ScheduleDecision(package=package, action=action, reason=reason, **more)  # type: ignore[arg-type]


PLAN = SchedulePlan(
    head=HEAD,
    decisions=(
        decision(
            "z",
            ScheduleAction.UPDATE,
            "a new version",
            before="1-1",
            after="2-1",
            link="https://e/z",
        ),
        decision("same", ScheduleAction.UNCHANGED),
        decision("broken", ScheduleAction.FAILED, "no answer"),
        decision("a", ScheduleAction.UPDATE, "a new version", after="1-1"),
        ScheduleDecision(
            package="orphan",
            action=ScheduleAction.UNCHANGED,
            reason="",
            remarks=("it is an orphan",),
        ),
    ),
    warnings=("careful",),
)


def test_what_is_told_has_one_order() -> None:
    backwards = SchedulePlan(head=HEAD, decisions=PLAN.decisions[::-1], warnings=PLAN.warnings)

    assert [told.package for told in PLAN.reportable] == ["a", "z", "broken", "orphan"]
    assert [told.package for told in PLAN.failed] == ["broken"]
    assert list(PLAN.counts.items()) == [
        (ScheduleAction.UPDATE, 2),
        (ScheduleAction.FAILED, 1),
        (ScheduleAction.UNCHANGED, 2),
    ]
    assert backwards.to_dict() == PLAN.to_dict()
    assert backwards.to_markdown() == PLAN.to_markdown()


def test_machines_get_every_package() -> None:
    data = json.loads(json.dumps(PLAN.to_dict()))

    assert [entry["package"] for entry in data["decisions"]] == [
        "a",
        "broken",
        "orphan",
        "same",
        "z",
    ]
    assert data["counts"] == {"update": 2, "failed": 1, "unchanged": 2}
    assert data["decisions"][-1] == {
        "package": "z",
        "action": "update",
        "reason": "a new version",
        "before": "1-1",
        "after": "2-1",
        "link": "https://e/z",
        "remarks": [],
        "builds": False,
        "build_class": None,
        "output": "",
        "group": "",
        "judgement": {},
    }


def test_versions_are_told_from_and_to() -> None:
    pairs = [("1", "2"), ("", "2"), ("1", ""), ("1", "1"), ("", "")]
    told = [decision("a", ScheduleAction.UPDATE, before=b, after=a).versions for b, a in pairs]

    assert told == ["1 → 2", "→ 2", "1", "1", ""]


def test_the_ledger_remembers_what_is_told() -> None:
    entries = PLAN.ledger_entries(run="on-schedule", link="https://e/pipeline", now=5.5)
    ledger = Ledger.from_bytes(Ledger().add(entries).to_bytes())

    (about,) = ledger.about("z")
    assert (about.time, about.run, about.commit) == (5, "on-schedule", HEAD)
    assert (about.decision, about.reason) == ("update", "a new version")
    assert (about.before, about.after) == ("1-1", "2-1")
    assert (about.link, about.page) == ("https://e/pipeline", "https://e/z")
    assert [entry.reason for entry in ledger.about("orphan")] == ["it is an orphan"]
    assert ledger.about("same") == []


def test_markdown_shows_strangers_text_as_it_is() -> None:
    evil = decision(
        "evil", ScheduleAction.FAILED, "| x |\n| [l](http://e) `", before="1`|2", link="ftp://x"
    )
    page = SchedulePlan(head=HEAD, trigger="daily", decisions=(evil,), warnings=("![w](u)",))

    assert page.to_markdown().splitlines() == [
        "### on-schedule at `0123456789ab`, trigger `daily`",
        "",
        "1 failed",
        "",
        "| package | decision | version | reason |",
        "|-|-|-|-|",
        r"| `evil` | failed | ``1`\|2`` | \| x \| \| \[l\](http\://e) \` |",
        "",
        "**Warnings**",
        "",
        r"- \!\[w\](u)",
    ]


def test_markdown_links_to_the_change() -> None:
    rows = PLAN.to_markdown().splitlines()
    assert "| `z` | update | `1-1 → 2-1` | a new version ([more](https://e/z)) |" in rows


def test_what_is_the_same_for_very_many_is_told_once() -> None:
    down = [decision(f"p{n:02d}", ScheduleAction.FAILED, "no answer") for n in range(30)]
    updates = [
        decision(f"u{n:02d}", ScheduleAction.UPDATE, "changed", after="2") for n in range(30)
    ]
    gone = [decision("z", ScheduleAction.GONE, "no such package")]

    rows = SchedulePlan(head=HEAD, decisions=(*down, *gone, *updates)).rows()

    names = [row.package for row in rows]
    assert names[:30] == [f"u{n:02d}" for n in range(30)]
    assert names[30:] == [*(f"p{n:02d}" for n in range(10)), "… 20 more", "z"]
    assert rows[40] == ("… 20 more", ScheduleAction.FAILED, "", "no answer", "")


def test_the_summary_counts_in_words() -> None:
    assert PLAN.summary == "2 updated, 1 failed, 2 unchanged"
    assert SchedulePlan(head=HEAD).summary == "no packages"


def test_secrets_are_in_no_form_of_it() -> None:
    token = 'a_b*c"d'
    said = ScheduleDecision(
        package="a",
        action=ScheduleAction.FAILED,
        reason=f"it said {token}",
        link=f"https://e/{token}",
        remarks=(token,),
        output=token,
    )
    plan = SchedulePlan(head=HEAD, decisions=(said,), warnings=(token,), notes=(token,))

    safe = plan.redacted(Secrets({"TOKEN": token}))

    assert "a_b" not in str(safe)
    assert r"it said \*\*\*" in safe.to_markdown()


def test_markdown_has_an_end() -> None:
    many = SchedulePlan(
        head=HEAD,
        decisions=tuple(
            decision(f"p{n:05d}", ScheduleAction.FAILED, f"{n}" * 999) for n in range(3000)
        ),
    )

    page = many.to_markdown()

    assert len(page) < 1024**2
    assert "… and 2000 more" in page
