"""Interpreters, their package managers, and what runs on the JVM."""

from __future__ import annotations

from scheduler.diagnosis.rules.rule import Rank, Rules
from scheduler.job import FailureClass

RULES = Rules()
_add = RULES.add
_MISSING = FailureClass.MISSING_DEPENDENCY

# Python
_add(
    "python",
    Rank.CONSEQUENCE,
    None,
    ("calledprocesserror", r"CalledProcessError: "),
    ("subprocess", r"^\s*ERROR:? Backend subprocess exited"),
    ("subprocess-exited", r"subprocess-exited-with-error"),
    ("did not run successfully", r"did not run successfully"),
    ("generation-failed", r"(?:metadata|wheel)-generation-failed"),
    ("failed building wheel", r"ERROR: Failed building wheel"),
    ("error: command ", r"^error: command .* failed"),
    ("error: could not build wheels", r"ERROR: Could not build wheels"),
    ("error: command", r"^(?:distutils|setuptools)\.\S+\.(?:Compile|Link)Error: command"),
    ("backend", r"BackendUnavailable: "),
)
_add(
    "python",
    Rank.CAUSE,
    _MISSING,
    ("no module named", r"ModuleNotFoundError: No module named "),
    ("no module named", r"^\S+: No module named "),
    ("missing dependencies", r"^\s*ERROR:? Missing dependencies:"),
    ("distributionnotfound", r"DistributionNotFound: "),
    ("packagenotfounderror", r"PackageNotFoundError: "),
    ("satisfies the requirement", r"Could not find a version that satisfies the requirement"),
    ("no matching distribution", r"No matching distribution found for"),
)
_add(
    "python",
    Rank.CAUSE,
    None,
    ("importerror", r"^\s*(?:E\s+)?ImportError: "),
    ("indentationerror", r"^\s*(?:E\s+)?IndentationError: "),
)
# Node
_add(
    "npm",
    Rank.CAUSE,
    FailureClass.INFRASTRUCTURE,
    (
        " code e",
        r"^npm (?:ERR!|error) code (?:ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|E5\d\d|E429)",
    ),
)
_add(
    "npm",
    Rank.CAUSE,
    None,
    (" code e", r"^npm (?:ERR!|error) code E(?!LIFECYCLE)\w+"),
    (
        "npm e",
        (
            r"^npm (?:ERR!|error) (?:Missing script|Cannot|Could not|Invalid|Unsupported"
            r"|`npm ci` can only|.*npm ci.* can only install)"
        ),
    ),
)
_add("npm", Rank.CONSEQUENCE, None, ("npm e", r"^npm (?:ERR!|error)"))
_add(
    "node",
    Rank.CAUSE,
    None,
    ("error ts", r"\berror TS\d+: "),
    ("cannot find ", r"Error: Cannot find (?:module|package) "),
    ("can't resolve", r"(?:Module not found: )?Error: Can't resolve "),
    ("err_ossl", r"ERR_OSSL_EVP_UNSUPPORTED"),
    ("digital envelope", r"digital envelope routines::unsupported"),
    ("[error]", r"^\s*(?:✘|X) \[ERROR\] "),
    ("err_pnpm", r"^\s*(?:\[?ERROR\]? )?\s*ERR_PNPM_(?!RECURSIVE)\w+"),
    ("could not resolve", r"Could not resolve \"[^\"]+\""),
    ("rollup failed", r"Rollup failed to resolve import"),
    ("engine", r"^error .*: The engine \"\w+\" is incompatible"),
    ("couldn't find", r"^error Couldn't find (?:package|any versions)"),
    ("integrity check failed", r"^error .*Integrity check failed"),
    ("lockfile", r"^error Your lockfile needs to be updated"),
    ("yn0", r"^➤ YN(?:0028|0035|0041|0018|0082): "),
)
_add(
    "node",
    Rank.CONSEQUENCE,
    None,
    ("elifecycle", r"\bELIFECYCLE\b"),
    ("error command failed", r"^error Command failed"),
    ("gyp err", r"^gyp ERR! (?!stack Error)"),
    ("build failed", r"^(?:✗|x|✘) Build failed"),
    ("err_pnpm_recursive", r"ERR_PNPM_RECURSIVE"),
)
_add(
    "node",
    Rank.LIKELY,
    None,
    ("error in ", r"^ERROR in "),
    ("gyp err", r"^gyp ERR! stack Error: "),
    ("error during build", r"^error during build:"),
    ("failed to compile", r"^Failed to compile"),
    ("yn0001", r"^➤ YN0001: "),
    ("\u2a2f", r"^\s*\u2a2f "),
)
# the JVM
_add(
    "maven",
    Rank.CAUSE,
    _MISSING,
    ("could not", r"^\[ERROR\] .*Could not (?:resolve|find|transfer|collect) "),
    ("could not be resolved", r"^\[ERROR\] .*could not be resolved: "),
)
_add(
    "maven",
    Rank.CAUSE,
    None,
    ("[error]", r"^\[ERROR\] \S+\.(?:java|kt|scala|groovy):(?:\[\d+,\d+\]|\d+)"),
    ("non-resolvable", r"^\[(?:ERROR|FATAL)\] Non-resolvable "),
    ("release", r"^\[ERROR\] .*(?:invalid (?:target|source) release|release version \d+ not supp)"),
)
_add("maven", Rank.LIKELY, None, ("failed to execute goal", r"^\[ERROR\] Failed to execute goal "))
_add(
    "maven",
    Rank.CONSEQUENCE,
    None,
    ("[error]", r"^\[ERROR\] (?:COMPILATION ERROR|BUILD FAILURE|To see the full|Re-run|\[Help|$)"),
    ("build failure", r"BUILD FAILURE"),
)
_add(
    "gradle",
    Rank.CAUSE,
    _MISSING,
    ("> could not ", r"^\s*> Could not (?:resolve|find|download|GET) "),
)
_add(
    "gradle",
    Rank.CAUSE,
    None,
    ("e: ", r"^e: (?:file://)?\S+"),
    ("class file major", r"Unsupported class file major version"),
    ("recent version", r"has been compiled by a more recent version of the Java"),
    (
        "java_home",
        r"^(?:ERROR: |Error: )?(?:JAVA_HOME is (?:not set|set to an invalid)|The JAVA_HOME)",
    ),
)
_add("gradle", Rank.LIKELY, None, ("what went wrong", r"^\* What went wrong:"))
_add("gradle", Rank.WEAK, None, (" failed", r"^> Task \S+ FAILED"))
_add(
    "gradle",
    Rank.CONSEQUENCE,
    None,
    ("failure: build", r"^FAILURE: Build (?:failed|completed)"),
    ("build failed", r"^BUILD FAILED"),
    ("execution failed for task", r"^Execution failed for task"),
)
# Perl
_add("perl", Rank.CAUSE, _MISSING, ("can't locate", r"Can't locate \S+\.p[ml] in @INC"))
_add(
    "perl",
    Rank.CAUSE,
    None,
    ("syntax error at", r"syntax error at \S+ line \d+"),
    (" line ", r"^(?:Can't|Undefined subroutine|Global symbol|Bareword) .* at \S+ line \d+"),
)
_add(
    "perl",
    Rank.CONSEQUENCE,
    None,
    ("begin failed", r"BEGIN failed--compilation aborted"),
    ("compilation failed in require", r"Compilation failed in require"),
)
# Ruby
_add(
    "ruby",
    Rank.CAUSE,
    _MISSING,
    ("cannot load such file", r"cannot load such file -- "),
    ("could not find", r"^Could not find (?:gem )?'?[\w.-]+.* in (?:any of the|locally|rubygems)"),
    ("bundler", r"Bundler::GemNotFound"),
)
_add(
    "ruby",
    Rank.CAUSE,
    None,
    (".rb:", r"^\S+\.rb:\d+:in .*: .* \(\w[\w:]*(?:Error|Exception)\)"),
    ("error)", r"^\S+:\d+:in .*: .* \(\w[\w:]*Error\)"),
    (".rb:", r"^\S+\.rb:\d+: syntax error"),
)
_add(
    "ruby",
    Rank.CONSEQUENCE,
    None,
    ("rake aborted", r"^rake aborted!"),
    ("native extension", r"Failed to build gem native extension"),
    ("error installing", r"^ERROR:\s+Error installing "),
)
# PHP, Erlang, Elixir
_add(
    "php",
    Rank.CAUSE,
    None,
    ("php ", r"^PHP (?:Fatal|Parse) error: "),
    ("could not be resolved", r"Your requirements could not be resolved"),
)
_add("elixir", Rank.CAUSE, None, ("**", r"^\*\* \(\w[\w.]*(?:Error|Exit)?\) "))
# Exceptions of whichever language
_add("exception", Rank.CAUSE, None, ("syntaxerror", r"^\s*SyntaxError: "))
_add(
    "exception",
    Rank.LIKELY,
    None,
    (
        "error",
        (
            r"^\s*(?:Uncaught |Unhandled |Caused by: )?[A-Za-z_][\w.]{0,120}Error"
            r"(?: \[\w+\])?: \S"
        ),
    ),
    ("exception", r"^(?:Exception in thread |Unhandled exception)"),
    ("caused by: ", r"^Caused by: \S"),
    ("exception: ", r"^\s*(?:Caused by: )?[A-Za-z_][\w.]{0,120}Exception: \S"),
    ("assertionerror", r"^\s*AssertionError$"),
)
