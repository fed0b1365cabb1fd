"""Runs the hooks of packages, or takes what they left when they were recorded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.update.hook import HookResult, run_hook

if TYPE_CHECKING:
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.update.recording import Outside

HOOK_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class HookRunner:
    """Runs `.CI/update.sh` of packages. `ignored` is the `.gitignore` at the top."""

    context: RunContext
    outside: Outside
    ignored: bytes

    @classmethod
    def at(cls, context: RunContext, outside: Outside, commit: str) -> Self:
        """Return a runner for the packages at `commit`."""
        (ignored,) = context.git.read_blobs([f"{commit}:.gitignore"])
        return cls(context, outside, ignored or b"")

    def __call__(self, package: str, tree: str) -> HookResult:
        """Run the hook of `package` on `tree`, its folder. Raises nothing for what it does."""

        def run() -> dict[str, str]:
            done = run_hook(
                self.context.git,
                package=package,
                tree=tree,
                timeout=HOOK_TIMEOUT,
                secrets=self.context.secrets,
                ignored=self.ignored,
            )
            return asdict(done)

        result = HookResult(**self.outside.fact(f"hook of {package} on {tree}", run))
        if result.tree != tree:
            self.outside.keep(self.context.git, [result.tree])
        return result
