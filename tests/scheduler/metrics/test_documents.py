"""The documentation, the dashboard and the alerts speak of metrics that there are, and of all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from scheduler.metrics.counting import OTHER
from scheduler.metrics.definitions import METRICS, Kind
from scheduler.metrics.pipelines import Condition, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"

KNOWN = {metric.name: metric for metric in METRICS}
SAMPLES = {
    f"{metric.name}{suffix}": metric
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",))
}
OF_PROMETHEUS = {"le", "severity"}


def expressions(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "expr":
                yield str(value)
            yield from expressions(value)
    elif isinstance(data, list):
        for value in data:
            yield from expressions(value)


def alerts() -> dict[str, Any]:
    data: dict[str, Any] = YAML(typ="safe").load(ALERTS)
    return data


def dashboard() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("load", [alerts, dashboard], ids=["alerts", "dashboard"])
def test_they_ask_for_what_there_is(load: Any) -> None:  # noqa: ANN401 - a function
    asked = list(expressions(load()))
    assert len(asked) > 15
    for expression in asked:
        names = set(re.findall(r"\bcaur_\w+", expression))
        assert names <= SAMPLES.keys(), expression
        labels = {label for name in names for label in SAMPLES[name].labels} | OF_PROMETHEUS
        for chosen in re.findall(r"\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)\s*[=!]", chosen)) <= labels, expression
        for grouped in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
            assert set(re.findall(r"\w+", grouped)) <= labels, expression


def test_the_dashboard_shows_every_metric() -> None:
    asked = " ".join(expressions(dashboard()))
    assert {name for name in KNOWN if not re.search(rf"\b{name}", asked)} == set()


def test_the_panels_of_the_dashboard_have_room() -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_values_of_labels_that_are_asked_for_exist() -> None:
    asked = " ".join([*expressions(alerts()), *expressions(dashboard())])
    pipelines = set(re.findall(r'pipeline="([^"]+)"', asked))
    conditions = set(re.findall(r'condition="([^"]+)"', asked))

    assert pipelines <= set(Pipeline)
    assert conditions <= set(Condition)
    assert OTHER not in pipelines | conditions


def test_the_page_has_every_metric() -> None:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{it}`' for it in metric.labels)} | "
        f"{metric.help} | {', '.join(f'`{it}`' for it in metric.was.split(', ') if it)} |"
        for metric in METRICS
    ]
    assert [row for row in rows if row not in PAGE] == []
    assert set(re.findall(r"^\| `(caur_\w+)`", PAGE, re.MULTILINE)) == KNOWN.keys()


def test_the_page_has_every_alert() -> None:
    names = [rule["alert"] for group in alerts()["groups"] for rule in group["rules"]]
    assert re.findall(r"^\| `(Caur\w+)`", PAGE, re.MULTILINE) == names


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "command",
    [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")],
    ids=["check", "test"],
)
def test_promtool_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *command], cwd=ALERTS.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
