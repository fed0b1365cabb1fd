"""Figures of both versions of control groups, as the kernel writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.worker.executors.container.cgroup import ControlGroup

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_version_2(tmp_path: Path) -> None:
    write(tmp_path / "proc" / "7", cgroup="0::/machine.slice/libpod-1.scope/container\n")
    write(
        tmp_path / "root" / "machine.slice" / "libpod-1.scope" / "container",
        memory__peak="123456\n",
        memory__events="low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\n",
        cpu__stat="usage_usec 2500000\nuser_usec 2000000\n",
    )
    group = ControlGroup.of_process(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert (group.peak_memory(), group.cpu_seconds(), group.oom_kills()) == (123456, 2.5, 1)


def test_version_1(tmp_path: Path) -> None:
    lines = ["9:name=systemd:/x", "4:memory:/x", "2:cpu,cpuacct:/x", "0::/x"]
    write(tmp_path / "proc" / "7", cgroup="\n".join(lines))
    write(
        tmp_path / "root" / "memory" / "x",
        memory__max_usage_in_bytes="123456\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    )
    write(tmp_path / "root" / "cpu,cpuacct" / "x", cpuacct__usage="2500000000\n")
    group = ControlGroup.of_process(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert (group.peak_memory(), group.cpu_seconds(), group.oom_kills()) == (123456, 2.5, 3)


def test_an_old_kernel_and_a_process_elsewhere_have_no_figures(tmp_path: Path) -> None:
    write(tmp_path / "proc" / "7", cgroup="0::/x\n")
    write(tmp_path / "root" / "x", cpu__stat="usage_usec 1000000\n")
    old = ControlGroup.of_process(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert (old.peak_memory(), old.cpu_seconds(), old.oom_kills()) == (None, 1.0, 0)
    gone = ControlGroup.of_process(8, proc=tmp_path / "proc", root=tmp_path / "root")
    assert (gone.peak_memory(), gone.cpu_seconds(), gone.oom_kills()) == (None, None, 0)


def test_figures_that_are_ours_as_well_are_not_taken_for_those_of_a_container(
    tmp_path: Path,
) -> None:
    write(tmp_path / "proc" / "7", cgroup="0::/session\n")
    write(tmp_path / "proc" / "self", cgroup="0::/session\n")
    write(tmp_path / "root" / "session", memory__peak="1\n", memory__max="10\n")
    group = ControlGroup.of_process(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert group.peak_memory() is None
    assert not group.holds_memory(10)


def test_a_limit_holds_when_the_kernel_knows_it(tmp_path: Path) -> None:
    write(tmp_path / "proc" / "7", cgroup="0::/x\n")
    write(tmp_path / "root" / "x", memory__max="4096\n")
    group = ControlGroup.of_process(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert group.holds_memory(4096)
    assert not group.holds_memory(4095)
    (tmp_path / "root" / "x" / "memory.max").write_text("max\n")
    assert not group.holds_memory(4096)
