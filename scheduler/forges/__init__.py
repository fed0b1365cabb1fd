"""Projects at forges, as far as others are told there what happens: their clients, and errors."""

from scheduler.forges.errors import ForgeError
from scheduler.forges.github import GitHubRepository
from scheduler.forges.gitlab import GitLabProject
from scheduler.forges.opening import project_of

__all__ = ["ForgeError", "GitHubRepository", "GitLabProject", "project_of"]
