"""`.ci/config` at the top of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.config import values as v
from caur_ci.config.loading import key

if TYPE_CHECKING:
    from caur_ci.config.interval import VcsInterval

DEFAULT_REPOSITORY = "chaotic-aur"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryConfig:
    """How the pipelines of the whole repository behave."""

    FILE: ClassVar[str] = ".ci/config"

    build_repo: str | None = key(
        "BUILD_REPO", v.REPOSITORY, "The name under which the build side knows this repository."
    )
    repo_name: str | None = key(
        "REPO_NAME", v.REPOSITORY, "The pacman repository that packages are published in."
    )
    architectures: tuple[str, ...] = key(
        "CI_ARCHITECTURES",
        v.ARCHITECTURES,
        "What packages are built for, as far as their arch=() has it; x86_64_v3 and other flavours "
        "go by that of their base.",
        (DEFAULT_ARCHITECTURE,),
    )
    aur_proxy: str = key("CI_AUR_PROXY", v.PROXY, "The proxy for requests to the AUR.", "")
    aur_url: str = key(
        "CI_AUR_URL", v.WEB_URL, "The AUR's web address.", "https://aur.archlinux.org"
    )
    aur_git: tuple[str, ...] = key(
        "CI_AUR_GIT", v.GIT_URLS, "Where the AUR's git repositories are, tried in order.", ()
    )
    aur_ssh: str = key(
        "CI_AUR_SSH", v.SSH_URL, "Where packages are pushed to.", "ssh://aur@aur.archlinux.org"
    )
    aur_host_keys: tuple[str, ...] = key(
        "CI_AUR_HOST_KEYS",
        v.HOST_KEYS,
        "The keys that the server in CI_AUR_SSH may show, in place of the AUR's published ones.",
        (),
    )
    clone_delay: float = key(
        "CI_CLONE_DELAY", v.SECONDS, "The pause between two git clones, in seconds.", 0.0
    )
    code_skip: int = key(
        "CI_CODE_SKIP", v.EXIT_CODE, "The exit code with which a build skips itself.", 123
    )
    max_parallel: int = key(
        "CI_MAX_PARALLEL", v.COUNT, "How many packages are looked at side by side.", 8
    )
    default_class: str | None = key(
        "CI_DEFAULT_CLASS", v.BUILD_CLASS, "The build class of packages that name none."
    )
    vcs_interval: VcsInterval | None = key(
        "CI_VCS_INTERVAL",
        v.VCS_INTERVAL,
        "How seldom new upstream commits lead to a build of a VCS package.",
        lenient=True,
    )
    human_review: bool = key(
        "CI_HUMAN_REVIEW", v.BOOLEAN, "Puts changes of more than the version to review.", False
    )
    human_review_assignee: str = key(
        "CI_HUMAN_REVIEW_ASSIGNEE", v.TEXT, "Who is assigned to reviews.", ""
    )
    human_review_reviewers: str = key(
        "CI_HUMAN_REVIEW_REVIEWERS",
        v.TEXT,
        "Who is asked to review: names of accounts at the forge, with blanks in between.",
        "",
    )
    hook_without_sandbox: bool = key(
        "CI_HOOK_WITHOUT_SANDBOX",
        v.BOOLEAN,
        "Runs .CI/update.sh also where bubblewrap does not work and it can read what this user "
        "can, the pipeline's secrets among it.",
        False,
    )
    generate_srcinfo: bool = key(
        "CI_SRCINFO",
        v.SRCINFO,
        "Whether folders that commit no .SRCINFO have it made from the PKGBUILD (generate), or "
        "need one (committed).",
        False,
    )
    nvchecker_review: bool = key(
        "CI_NVCHECKER_REVIEW", v.BOOLEAN, "Puts updates found by nvchecker to review.", True
    )
    nvchecker_commands: bool = key(
        "CI_NVCHECKER_COMMANDS",
        v.BOOLEAN,
        "Lets nvchecker.toml files of packages name sources that run commands on this machine or "
        "read its files, such as cmd.",
        False,
    )
    local_sources: bool = key(
        "CI_LOCAL_SOURCES",
        v.BOOLEAN,
        "Lets nvchecker.toml files and PKGBUILDs name servers of private networks, and "
        "repositories by ssh and file URLs, where versions are looked up and checksums renewed.",
        False,
    )
    gitlab_url: str = key(
        "CI_GITLAB_URL",
        v.WEB_URL,
        "The server of gitlab:ID. By default the one whose pipeline runs this, else gitlab.com.",
        "",
    )
    stale_failures: int = key(
        "CI_STALE_FAILURES", v.FEW, "After how many failed runs in a row a package is stale.", 3
    )
    stale_days: int = key(
        "CI_STALE_DAYS", v.COUNT, "How many days upstream may be ahead of a package.", 7
    )
    lib_db: tuple[str, ...] = key(
        "CI_LIB_DB", v.URLS, "The package databases watched for library rebuilds.", ()
    )
    manage_aur: bool = key(
        "CI_MANAGE_AUR", v.BOOLEAN, "Allows packages to be pushed back to the AUR.", False
    )
    rebuild_blacklist: tuple[str, ...] = key(
        "CI_REBUILD_BLACKLIST", v.NAMES, "Libraries that never lead to rebuilds.", ()
    )
    rebuild_triggers: tuple[str, ...] = key(
        "CI_REBUILD_TRIGGERS",
        v.NAMES,
        "Libraries that lead to rebuilds of every package that depends on them, but for -bin ones.",
        (),
    )
    rebuild_share: int = key(
        "CI_REBUILD_SHARE",
        v.PERCENT,
        "How many of all packages one run rebuilds because of libraries, in percent. More, but "
        "never ten or fewer, wait for a confirmation.",
        10,
    )
    repo_db: str = key(
        "CI_REPO_DB",
        v.DATABASE_URL,
        "The published database of the target repository. Beside it are its list of files and the "
        "index of what its packages need.",
        "",
    )
    rebuild_auto: bool = key(
        "CI_REBUILD_AUTO",
        v.BOOLEAN,
        "Rebuilds packages that have lost a library or an interpreter, rather than only telling.",
        False,
    )
    rebuild_publish: str = key(
        "CI_REBUILD_PUBLISH",
        v.PUBLISHING,
        "How packages that are rebuilt together are published: when all of them are built, or "
        "without those that cannot be.",
        "together",
    )
    rebuild_abi: tuple[str, ...] = key(
        "CI_REBUILD_ABI",
        v.NAMES,
        "Packages of the databases in CI_LIB_DB whose every new version is fetched, to see who "
        "takes names (symbols) from their libraries or programs that it does not give any more.",
        (),
    )
    overwrite_commits: bool = key(
        "CI_OVERWRITE_COMMITS", v.BOOLEAN, "Replaces the last commit if it was automated.", False
    )
    shfmt: bool = key(
        "CI_SHFMT", v.BOOLEAN, "Brings PKGBUILDs that are taken over into form with shfmt.", False
    )
    author_email: str = key("GIT_AUTHOR_EMAIL", v.EMAIL, "The e-mail address in our commits.", "")
    author_name: str = key("GIT_AUTHOR_NAME", v.PERSON, "The name in our commits.", "")
    redis_ssh_host: str = key("REDIS_SSH_HOST", v.HOST, "The host of the tunnel to Redis.", "")
    redis_ssh_port: int | None = key("REDIS_SSH_PORT", v.PORT, "Its SSH port.")
    redis_ssh_user: str = key("REDIS_SSH_USER", v.USER, "The user for the tunnel to Redis.", "")
    redis_ssh_host_fingerprint: str = key(
        "REDIS_SSH_HOST_FINGERPRINT",
        v.FINGERPRINTS,
        "What its host key may be; otherwise it has to be in known_hosts.",
        "",
    )
    redis_port: int | None = key("REDIS_PORT", v.PORT, "The port of Redis behind the tunnel.")
    template_enable_updates: bool = key(
        "TEMPLATE_ENABLE_UPDATES", v.BOOLEAN, "Takes over new versions of the CI template.", True
    )
    template_repo: str = key("TEMPLATE_REPO", v.GIT_URL, "Where the CI template comes from.", "")
    network: bool = key(
        "BUILDER_NETWORK", v.BOOLEAN, "Whether build() and what follows may use the network.", True
    )
    pgp_check: bool = key(
        "BUILDER_PGP_CHECK", v.BOOLEAN, "Whether PGP signatures of sources are checked.", False
    )

    @property
    def source_repo(self) -> str:
        """What the build side calls this repository."""
        return self.build_repo or self.repo_name or DEFAULT_REPOSITORY

    @property
    def target_repo(self) -> str:
        """The pacman repository to publish in."""
        return self.repo_name or self.build_repo or DEFAULT_REPOSITORY
