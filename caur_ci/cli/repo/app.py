"""The commands below `caur-ci repo`, loaded when one of them is asked for."""

from __future__ import annotations

from caur_ci.cli.help import Application
from caur_ci.cli.repo import hosting, states

app = Application()

app.command()(states.history)
app.command()(states.rollback)
app.command()(states.verify)
app.command()(states.repair)
app.command()(states.index)
app.command()(hosting.upload)
app.command("pick-up")(hosting.pick_up)
