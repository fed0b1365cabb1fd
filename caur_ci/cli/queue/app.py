"""The commands below `caur-ci queue`, loaded when one of them is asked for."""

from __future__ import annotations

from caur_ci.cli.help import Application
from caur_ci.cli.queue import changing, copies, groups, legacy, looking, whole

app = Application()

app.command("list")(looking.list_jobs)
app.command("show")(looking.show)
app.command("quarantine")(looking.quarantine)
app.command("removals")(looking.removals)
app.command("groups")(groups.groups)
app.command("cancel")(changing.cancel)
app.command("retry")(changing.retry)
app.command("promote")(changing.promote)
app.command("proceed")(changing.proceed)
app.command("publish")(groups.publish)
app.command("abandon")(groups.abandon)
app.command("pause")(whole.pause)
app.command("resume")(whole.resume)
app.command("drain")(whole.drain)
app.command("reset")(whole.reset)
app.command("backup")(copies.backup)
app.command("restore")(copies.restore)
app.command("import")(legacy.import_queue)
