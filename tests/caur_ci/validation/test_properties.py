"""Whatever is in the files: every check comes to its end, and what is mended stays mended."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.validation.formats import Format, render
from caur_ci.validation.mending import mended
from caur_ci.validation.reading import _snapshot
from caur_ci.validation.snapshot import FolderFile
from tests.caur_ci.validation.cases import CASES
from tests.caur_ci.validation.worlds import Files, package, report_on, snapshot_of

PATHS = [
    *("tool/PKGBUILD", "tool/.SRCINFO", "tool/.CI/config", "tool/x.install"),
    *("tool/.CI/interfere.patch", "tool/.CI/prepare", "tool/.CI/PKGBUILD.append"),
    *(".ci/config", ".ci/validate.toml", ".ci/policy.toml"),
]
KEYS = ["CI_PACKAGE_BUMP", "builder_class", "CI_REBUILD_TRIGGERS", "CI_PKGBUILD_SOURCE", "pkgver"]
LINES = st.one_of(
    st.builds("{}={}".format, st.sampled_from(KEYS), st.text(max_size=8)),
    st.sampled_from(
        [
            *("pkgbase = tool", "pkgname = tool", "\tpkgver = 1", "\tpkgrel = 1.1", "\tarch = any"),
            *("\tsource = a::b", "\tsha256sums = SKIP", "\tlicense = ((MIT", "\tdepends = a=b=c"),
            *("pkgname=tool", "pkgver=$x", "source=(a{b,c})", "package() { :; }", "[[silence]]"),
            *("--- a/PKGBUILD", "+++ b/PKGBUILD", "@@ -1 +1 @@", "-x", "+y", "\udcff"),
        ]
    ),
    st.text(max_size=20),
)
CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda lines, end, start: (
            start + end.join(it.encode("utf-8", "surrogatepass") for it in lines)
        ),
        st.lists(LINES, max_size=8),
        st.sampled_from([b"\n", b"\r\n"]),
        st.sampled_from([b"", b"\xef\xbb\xbf"]),
    ),
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(PATHS), CONTENTS, min_size=1), st.booleans())
def test_no_bytes_keep_a_check_from_its_end(files: dict[str, bytes], is_program: bool) -> None:
    snapshot = snapshot_of({**package("other"), **files})
    if is_program and (content := snapshot.content("tool/PKGBUILD")) is not None:
        snapshot = snapshot.with_file("tool/PKGBUILD", content, executable=True)

    now, _, _ = mended(snapshot, lambda state: report_on(state).findings)
    report = report_on(now)

    assert "unchecked" not in report.codes
    assert [str(it) for it in report.findings if it.mend is not None] == []
    for form in Format:
        render(report, form).encode()
    assert report_on(snapshot).findings == report_on(snapshot).findings


@settings(max_examples=20)
@given(st.dictionaries(st.text(min_size=1, max_size=12), st.integers(0, 10), max_size=8))
def test_no_names_keep_a_snapshot_from_being_made(sizes: dict[str, int]) -> None:
    files = {f"tool/{name}": FolderFile(size=size) for name, size in sizes.items()}

    snapshot = _snapshot(
        files, [], None, lambda paths: ((path, b"") for path in paths), has_modes=True
    )

    assert "unchecked" not in report_on(snapshot).codes


@settings(max_examples=30)
@given(st.lists(st.sampled_from(CASES), min_size=2, max_size=5))
def test_mistakes_that_come_together_are_all_mended(cases: list[object]) -> None:
    files: dict[str, str | bytes | FolderFile] = {}
    for case in cases:
        bad: Files = getattr(case, "bad", {})
        files |= bad if isinstance(bad, dict) else {}

    now, _, _ = mended(snapshot_of(files), lambda state: report_on(state).findings)

    assert [it for it in report_on(now).findings if it.mend is not None] == []
