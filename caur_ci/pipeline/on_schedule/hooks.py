"""Runs the hooks of packages, or takes what they left when they were recorded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.update.hook import HookResult, run_hook

if TYPE_CHECKING:
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.update.recording import Outside

HOOK_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class HookRunner:
    """Runs `.CI/update.sh` of packages.

    `ignored` is the `.gitignore` at the top, `without_sandbox` allows hooks to run where there is
    no sandbox.
    """

    context: RunContext
    outside: Outside
    ignored: bytes
    without_sandbox: bool

    @classmethod
    def of(cls, context: RunContext, outside: Outside, committed: CommittedRepository) -> Self:
        """Return a runner for the packages of a repository."""
        (ignored,) = context.git.read_blobs([f"{committed.commit}:.gitignore"])
        return cls(context, outside, ignored or b"", committed.config.hook_without_sandbox)

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
                without_sandbox=self.without_sandbox,
            )
            return asdict(done)

        result = HookResult(**self.outside.fact(f"hook of {package} on {tree}", run))
        if result.tree != tree:
            self.outside.keep(self.context.git, [result.tree])
        return result
