"""What the machine lacks: memory, space, the network and the servers behind it."""

from __future__ import annotations

from scheduler.diagnosis.rules.rule import Rank, Rules
from scheduler.job import FailureClass

RULES = Rules()
_add = RULES.add

_add(
    "disk",
    Rank.CAUSE,
    FailureClass.DISK_FULL,
    ("no space left", r"No space left on device"),
    ("quota", r"Disk quota exceeded"),
    ("not enough free disk space", r"not enough free disk space"),
)
_add(
    "memory",
    Rank.CAUSE,
    FailureClass.OUT_OF_MEMORY,
    ("killed", r"Killed signal terminated program"),
    ("killed", r"internal compiler error: Killed"),
    ("exhausted", r"virtual memory exhausted"),
    ("allocate", r"[Cc]annot allocate (?:memory|\d+ bytes)"),
    ("allocate", r"\[Errno 12\] Cannot allocate"),
    ("bad_alloc", r"std::bad_alloc"),
    ("heap out of memory", r"heap out of memory"),
    ("outofmemory", r"java\.lang\.OutOfMemoryError"),
    ("allocation of", r"memory allocation of \d+ bytes failed"),
    ("llvm error", r"LLVM ERROR: out of memory"),
    ("sigkill", r"signal: 9, SIGKILL"),
    ("signal: killed", r"signal: killed"),
    ("terminated by signal 9", r"terminated by signal 9"),
    ("memoryerror", r"^MemoryError"),
    ("ghc", r"ghc: out of memory"),
    ("killed", r"^(?:\S+: line \d+:\s+\d+ )?Killed\b"),
)

# Of curl's codes those that may be otherwise tomorrow.
_PASSING = r"curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\)"
_add(
    "network",
    Rank.CAUSE,
    FailureClass.INFRASTRUCTURE,
    ("curl: (", _PASSING),
    ("resolve", r"[Cc]ould not resolve (?:host|proxy)"),
    ("resolve", r"unable to resolve host address"),
    ("resolution", r"[Tt]emporary failure in name resolution"),
    ("name or service", r"Name or service not known"),
    ("no such host", r"dial tcp: lookup .*no such host"),
    ("getaddrinfo", r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"),
    ("unreachable", r"[Nn]etwork is unreachable"),
    ("no route", r"No route to host"),
    ("failed to connect", r"Failed to connect to"),
    ("connection", r"[Cc]onnection (?:refused|timed out|reset by peer)"),
    ("i/o timeout", r"dial tcp .*i/o timeout"),
    ("returned error", r"requested URL returned error: (?:429|5\d\d)"),
    ("rpc failed", r"RPC failed"),
    ("early eof", r"early EOF"),
    ("unexpected disconnect", r"unexpected disconnect"),
    ("hung up", r"The remote end hung up"),
    ("econnre", r"\bECONNRE(?:FUSED|SET)\b"),
    ("spurious network", r"spurious network error"),
)
_add(
    "TLS",
    Rank.CAUSE,
    FailureClass.INFRASTRUCTURE,
    ("certificate", r"SSL certificate problem"),
    ("certificate", r"[Cc]ertificate verif(?:y|ication) failed"),
    ("certificate", r"certificate verify failed"),
    ("certificate", r"server certificate verification failed"),
    ("x509", r"x509: certificate"),
)
_add(
    "curl",
    Rank.CAUSE,
    FailureClass.SOURCE_MISSING,
    ("curl: (", r"curl: \(\d+\)"),
    ("returned error", r"requested URL returned error: \d+"),
    ("error 4", r"^\S+ \S+ ERROR 4\d\d: "),
)
_add(
    "git",
    Rank.CAUSE,
    FailureClass.SOURCE_MISSING,
    ("repository", r"^(?:fatal: |remote: )?[Rr]epository .*(?:not found|does not exist)"),
    ("git repository", r"does not appear to be a git repository"),
    ("username", r"could not read Username"),
    ("authentication failed", r"Authentication failed"),
    ("remote branch", r"Remote branch .* not found"),
    ("pathspec", r"^error: pathspec '.*' did not match"),
    ("unadvertised", r"unadvertised object"),
    ("not our ref", r"upload-pack: not our ref"),
    ("remote ref", r"couldn't find remote ref"),
)
_add(
    "network",
    Rank.CAUSE,
    FailureClass.INFRASTRUCTURE,
    ("network entity", r"I/O error : Attempt to load network entity"),
)
_add(
    "gpg",
    Rank.CAUSE,
    FailureClass.SIGNATURE,
    ("check signature", r"^gpg: Can't check signature"),
    ("bad signature", r"^gpg: BAD signature"),
)
_add(
    "git",
    Rank.CONSEQUENCE,
    None,
    ("submodule path", r"^fatal: clone of .* into submodule path"),
    ("failed to clone", r"^Failed to clone '"),
)
# Builds that ask for a version they can do without.
_add(
    "git",
    Rank.WEAK,
    None,
    ("fatal: ", r"^fatal: (?:not a git repository|No names found|No tags|detected dubious)"),
)
_add("git", Rank.LIKELY, None, ("fatal: ", r"^fatal: "))

# Programs that die; a tool that reports it says more.
CRASHES = Rules()
CRASHES.add(
    "program",
    Rank.LIKELY,
    None,
    ("segmentation fault", r"Segmentation fault"),
    ("illegal instruction", r"Illegal instruction"),
    ("core dumped", r"\(core dumped\)"),
    ("permission denied", r": Permission denied$"),
    ("assertion", r"Assertion [`'\"(].* failed"),
    ("exec format error", r"Exec format error"),
    ("too many open files", r"Too many open files"),
    ("argument list too long", r"Argument list too long"),
    ("input/output error", r": Input/output error$"),
    ("read-only file system", r"Read-only file system"),
    ("resource temporarily", r"Resource temporarily unavailable"),
    ("glibc", r"version `GLIBC\S*' not found"),
)
