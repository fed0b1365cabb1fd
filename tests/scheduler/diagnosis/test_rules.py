"""What single lines mean: messages that no log of the collection has, and lines that are none."""

from __future__ import annotations

import pytest

from scheduler.diagnosis.rules import Rank, meaning_of
from scheduler.diagnosis.rules.catalogue import RULES

# Whose message it is, and then such messages.
CAUSES = """
disk: cp: error writing 'a': Disk quota exceeded
disk: error: Partition / too full: 1 blocks needed, not enough free disk space
memory: g++: internal compiler error: Killed (program cc1plus)
memory: terminate called after throwing an instance of 'std::bad_alloc'
memory: java.lang.OutOfMemoryError: Java heap space
memory: memory allocation of 4096 bytes failed
memory: LLVM ERROR: out of memory
memory: process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)
memory: go build main: /usr/lib/go/link: signal: killed
memory: ghc: out of memory (requested 1048576 bytes)
memory: /build/x.sh: line 12: 4711 Killed                  ./big
network: curl: (28) Operation timed out after 10000 milliseconds
network: fatal: unable to access 'https://x/': Could not resolve host: x
network: wget: unable to resolve host address 'x'
network: error: failed to fetch: [Errno -3] Temporary failure in name resolution
network: Error: getaddrinfo ENOTFOUND registry.example
network: error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly
network: fatal: early EOF
network: npm error errno ECONNRESET
network: dial tcp 1.2.3.4:443: i/o timeout
network: warning: spurious network error (3 tries remaining)
TLS: fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate
TLS: ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed
TLS: x509: certificate signed by unknown authority
curl: curl: (22) The requested URL returned error: 403
curl: 2026-11-24 10:00:00 ERROR 404: Not Found.
git: remote: Repository not found.
git: fatal: '/x' does not appear to be a git repository
git: fatal: could not read Username for 'https://x': terminal prompts disabled
git: fatal: Authentication failed for 'https://x/'
git: fatal: Remote branch v9 not found in upstream origin
git: error: pathspec 'v9' did not match any file(s) known to git
git: error: Server does not allow request for unadvertised object 0123
git: fatal: couldn't find remote ref refs/heads/x
makepkg:     x.sig ... SIGNATURE NOT FOUND
makepkg: ==> ERROR: Integrity checks are missing for: source_x86_64
makepkg: ==> ERROR: Unrecognized reference: tagg
makepkg: ==> ERROR: /x is not a clone of https://x
patch: error: x.c: patch does not apply
patch: can't find file to patch at input line 3
patch: Reversed (or previously applied) patch detected!  Skipping patch.
patch: patch: **** malformed patch at line 12: @@
patch: error: corrupt patch at line 9
pacman: error: x: signature from "A <a@b>" is unknown trust
pacman: error: failed to synchronize: unable to lock database
pacman: error: x: invalid or corrupted package (PGP signature)
pacman: :: unable to satisfy dependency 'a>=2' required by b
pacman: :: installing a (2-1) breaks dependency 'a=1' required by b
pacman: x: /usr/bin/x exists in filesystem (owned by y)
shell: /bin/sh: 1: cython: not found
shell: sh: line 1: tsc: command not found
shell: /usr/bin/env: 'python2': No such file or directory
shell: ./tool: error while loading shared libraries: libx.so.1: cannot open shared object file
shell: make[2]: xsltproc: No such file or directory
shell: ./build.sh: line 3: cd: gone: No such file or directory
shell: configure: 12: Syntax error: "(" unexpected
qt: Project ERROR: Cannot run compiler 'g++'
qt: AutoUic subprocess error
qt: moc: Error: Macro invoke requires at least one argument
network: I/O error : Attempt to load network entity http://docbook.sourceforge.net/x.xsl
gpg: gpg: Can't check signature: No public key
configure: WARNING: 'aclocal-1.16' is missing on your system.
autotools: *** error: gettext infrastructure mismatch: using a Makefile.in.in
autotools: libtool:   error: cannot find the library 'x.la'
autotools: libtool: Version mismatch error.  This is libtool 2.4.7
modpost: ERROR: modpost: "x" [y.ko] undefined!
dotnet: x.csproj : error NU1101: Unable to find package y
compiler: /usr/share/dotnet/x.targets(1,2): error MSB4018: The task failed
nim: x.nim(3, 4) Error: undeclared identifier: 'y'
latex: ! LaTeX Error: File `x.sty' not found.
sphinx: Extension error:
sphinx: Warning, treated as error:
meson: src/meson.build:3:0: ERROR: Unknown compiler(s): [['vala']]
shell: ./configure: line 2000: syntax error near unexpected token `GTK,'
configure: config.status: error: cannot find input file: `Makefile.in'
make: Makefile:12: *** missing separator.  Stop.
make: make: *** No targets specified and no makefile found.  Stop.
ninja: ninja: error: 'x.c', needed by 'x.o', missing and no known rule to make it
ninja: ninja: fatal: chdir to 'build' - No such file or directory
ld: mold: error: undefined symbol: x
ld: mold: fatal: library not found: x
ld: /usr/bin/ld: a.o:(.bss+0x0): multiple definition of `x'; b.o:(.bss+0x0): first defined here
ld: /usr/bin/ld: x.o: relocation R_X86_64_32 against `.rodata' can not be used when making a PIE
ld: /usr/bin/ld: /usr/lib/libm.so.6: error adding symbols: DSO missing from command line
compiler: x.c:1:1: fatal error: 'x.h' file not found
compiler: x.cpp(12): error: identifier "x" is undefined
compiler: cc1: error: unrecognized command-line option '-fx'
compiler: x.vala:3.5-3.9: error: The name `x' does not exist
compiler: /tmp/x.s: Assembler messages:
compiler: during GIMPLE pass: x.c:1:1: internal compiler error: Segmentation fault
cargo: error: failed to parse manifest at `/x/Cargo.toml`
cargo: error: no matching package named `x` found
cargo: error: package `x v1` cannot be built because it requires rustc 1.90 or newer
cargo: error: linker `clang` not found
go: vet: ./x.go:3:2: undefined: x
go: x.go:3:2: cannot find package "x" in any of:
go: go: cannot find main module, but found .git/config in /x
go: x@v1: missing go.sum entry for go.mod file
go: go: updates to go.mod needed
cabal: cabal: Could not resolve dependencies:
ocaml: Error: No implementations provided for the following modules:
ocaml: Error (warning 8 [partial-match]): This pattern-matching is not exhaustive.
python: ERROR: No matching distribution found for x
python: pkg_resources.DistributionNotFound: The 'x' distribution was not found
python: /usr/bin/python: No module named build
pytest: E   ImportError: cannot import name 'x' from 'y'
python: IndentationError: unexpected indent
npm: npm error code ERESOLVE
npm: npm ERR! Missing script: "build"
node: Error: Cannot find module 'x'
node: Error: Cannot find package 'x' imported from y
node: ✘ [ERROR] Could not resolve "x"
node: Module not found: Error: Can't resolve 'x' in 'y'
node: [vite]: Rollup failed to resolve import "x" from "y".
node: error x@1: The engine "node" is incompatible with this module.
node: error Couldn't find any versions for "x" that matches "^9"
node: error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.
node: ➤ YN0028: │ The lockfile would have been modified by this install
maven: [ERROR] Failed to execute goal on project x: Could not resolve dependencies for project
exception: SyntaxError: invalid syntax
cargo: error: expected pattern, found `}`
ld:   = note: rust-lld: error: undefined symbol: nope
maven: [ERROR] Failed to execute goal x: The following artifacts could not be resolved: y
maven: [FATAL] Non-resolvable parent POM for x
maven: [ERROR] Fatal error compiling: error: invalid target release: 25
gradle: > Could not resolve org.x:y:1.0.
gradle: > Could not find method compile() for arguments
gradle: e: /x/Main.kt: (3, 5): Unresolved reference: y
gradle: > Unsupported class file major version 69
gradle: ERROR: JAVA_HOME is not set and no 'java' command could be found in your PATH.
perl: syntax error at Makefile.PL line 3, near "x"
perl: Can't call method "x" on an undefined value at x.pl line 3.
ruby: <internal:x>: in `require': cannot load such file -- mkmf (LoadError)
ruby: Rakefile:3:in `<top>': undefined method (NoMethodError)
ruby: x.rb:3: syntax error, unexpected end
php: PHP Parse error:  syntax error, unexpected token in x.php on line 3
ctest:  1/9 Test #1: x ....***Exception: SegFault  0.10 sec
meson:  3/40 x:y     TIMEOUT        30.01s   killed by signal 15 SIGTERM
unittest: ERROR: test_x (tests.X.test_x)
TAP:     not ok 3 - x
TAP: #   Failed test 'x'
catch2: x.cpp:12: FAILED:
boost: x.cpp(12): error: in "suite/x": check a == b has failed
jest: FAIL src/x.test.js
jest:   ● sorts \u203a numbers
mocha:   2 failing
maven: [ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0 <<< FAILURE! - in x.YTest
gradle: XTest > sorts numbers FAILED
rspec:      Failure/Error: expect(1).to eq 2
automake: FAIL: x.sh
automake: XPASS: x.sh
automake: ERROR: x.test - exited with status 99
qtest: FAIL!  : TestX::sorts() Compared values are not the same
"""
LIKELY = """
program: Segmentation fault (core dumped)
program: bash: ./x: cannot execute binary file: Exec format error
program: bash: fork: retry: Resource temporarily unavailable
program: open: Too many open files
waf: The configuration failed
pytest: FAILED tests/test_x.py::test_y - assert 1 == 2
pytest: ERROR tests/test_x.py - ImportError: y
unittest: test test_import failed -- Traceback
node:   \u2a2f cannot find icon.png
program: open y: Permission denied
program: x: x.c:12: main: Assertion `x' failed.
program: /lib/libc.so.6: version `GLIBC_2.43' not found
git: fatal: bad object 0123
shell: cp: cannot create regular file 'x': Permission
shell: tar: Error is not recoverable: exiting now
pkg-config: No package 'x' found
pkg-config: Package x was not found in the pkg-config search path.
compiler: clang: error: unknown argument: '-fx'
compiler: x86_64-w64-mingw32-gcc: error: x.c: No such file
cargo: thread 'main' panicked at build.rs:3:5:
cargo:   thread 'main' (4459) panicked at build.rs:3:5:
go: panic: runtime error: index out of range
maven: [ERROR] Failed to execute goal x:y:1:enforce: Some Enforcer rules have failed.
gradle: * What went wrong:
node: error during build:
node: gyp ERR! stack Error: `make` failed with exit code: 2
exception: ValueError: x
exception: Exception in thread "main" java.lang.x
exception: Caused by: java.io.IOException: x
exception: org.x.YException: z
pytest: ______ ERROR collecting tests/x.py ______
: error: something unheard of
: tool: error: something unheard of
: FATAL: something unheard of
: [FATAL] something unheard of
"""
CONSEQUENCES = """
git: fatal: clone of 'https://x' into submodule path '/y' failed
makepkg: ==> ERROR: One or more files did not pass the validity check!
makepkg: ==> ERROR: Could not resolve all dependencies.
makepkg: ==> ERROR: A failure occurred in check().
patch: 1 out of 3 hunks FAILED -- saving rejects to file x.rej
pacman: error: failed to prepare transaction (could not satisfy dependencies)
cmake: -- Configuring incomplete, errors occurred!
configure: autoreconf: error: /usr/bin/autoconf failed with exit status: 1
make: make[1]: *** [Makefile:3: all] Error 2
make: make: *** Waiting for unfinished jobs....
ninja: ninja: build stopped: subcommand failed.
ld: collect2: error: ld returned 1 exit status
ld: clang: error: linker command failed with exit code 1 (use -v to see invocation)
compiler: cc1: some warnings being treated as errors
compiler: compilation terminated.
compiler: 2 warnings and 1 error generated.
cargo: error: could not compile `x` (lib) due to 2 previous errors
cargo: error: aborting due to 2 previous errors
cargo: error: test failed, to rerun pass `--lib`
go: FAIL	example.org/x [build failed]
cabal: Error: [Cabal-7125] Failed to build x-1.
python: subprocess.CalledProcessError: Command '['x']' returned non-zero exit status 1.
python: ERROR: Failed building wheel for x
npm: npm error A complete log of this run can be found in: /x
node: error Command failed with exit code 1.
node: [ELIFECYCLE] Command failed with exit code 2.
maven: [ERROR] COMPILATION ERROR :
gradle: FAILURE: Build failed with an exception.
perl: BEGIN failed--compilation aborted at x line 3.
ruby: rake aborted!
ctest: 50% tests passed, 1 tests failed out of 2
pytest: ========= 1 failed, 3 passed in 0.12s =========
cargo: test result: FAILED. 1 passed; 1 failed; 0 ignored
scons: scons: *** [x.o] Error 1
scons: scons: building terminated because of errors.
scons: build/x.o failed: Error 1
googletest:  2 FAILED TESTS
automake: # ERROR: 1
"""
HARMLESS = """
gcc -Werror=format -c -o error.o error.c
/usr/bin/c++ -DERROR="error: x" -c x.cpp
x86_64-pc-linux-gnu-gcc -fPIC -c failed.c
[12/90] Building C object error.c.o
[ 12%] Building CXX object failed.cpp.o
checking for error_at_line... no
checking whether failed is fatal error: no
-- Performing Test HAVE_ERROR - Failed
-- Could NOT find X (missing: X_LIBRARY)
libtool: compile:  gcc -c error.c
x.c:3:1: warning: unused variable 'error' [-Wunused-variable]
x.c:3:1: note: in expansion of macro 'error: x'
+ echo error: x
#define X "error: y"
   Compiling thiserror v2.0.17
test errors::display ... ok
PASS: tests/errors
 1/3 Test #1: errors .......   Passed    0.01 sec
1/4 x:unit / error-handling        OK              0.02s
not ok 2 - x # TODO not yet
Collecting exceptiongroup
"""


def lines_of(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition(": ") for line in text.strip("\n").splitlines()]
    return [(tool, line) for tool, _, line in pairs]


@pytest.mark.parametrize(
    ("text", "rank"),
    [(CAUSES, Rank.CAUSE), (LIKELY, Rank.LIKELY), (CONSEQUENCES, Rank.CONSEQUENCE)],
    ids=["causes", "likely", "consequences"],
)
def test_what_a_line_means(text: str, rank: Rank) -> None:
    wrong = [
        (tool, line, meaning)
        for tool, line in lines_of(text)
        if (meaning := meaning_of(line)) is None or (meaning.tool, meaning.rank) != (tool, rank)
    ]
    assert wrong == []


def test_lines_of_builds_that_go_well() -> None:
    found = {line: meaning_of(line) for line in HARMLESS.strip("\n").splitlines()}
    assert {line: meaning for line, meaning in found.items() if meaning is not None} == {}


@pytest.mark.parametrize(
    "line", ["no errors were found, 0 failed", "fatal: not a git repository (or any parent)"]
)
def test_what_good_builds_may_say_is_weak(line: str) -> None:
    meaning = meaning_of(line)
    assert meaning is None or meaning.rank is Rank.WEAK


def test_words_are_looked_for_in_small_letters() -> None:
    assert [rule.word for rule in RULES if rule.word != rule.word.lower() or not rule.word] == []
