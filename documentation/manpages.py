"""The man pages: one for the program and each of its commands, and two for what it reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from documentation.commands import PROGRAM, all_commands, command_tree
from documentation.keys import CONFIG_FILES, CONFIG_FORM, keys_of
from scheduler.settings.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documentation.commands import Command, Parameter

_SECTION = 1
_FILES_SECTION = 5
_SECTION_TITLES = {_SECTION: "User commands", _FILES_SECTION: "File formats"}
_SEE_ALSO = "makepkg(8), pacman(8), repo-add(8)"
_SETTINGS_FORM = (
    "Each is an environment variable, or a key of the TOML file that `--config` or the variable "
    "CAUR_CONFIG names. Options win over variables, and variables over the file. Secrets are "
    "variables only, or in files: REDIS_PASSWORD_FILE names one that holds REDIS_PASSWORD."
)
# A line that begins with one of these would be an order to troff.
_CONTROL = re.compile(r"^[.']", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


def man_pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    tree = command_tree()
    pages = {f"{PROGRAM}.{_SECTION}": "".join(_program(tree))}
    for command in tree.children:
        name = f"{PROGRAM}-{command.name.replace(' ', '-')}"
        pages[f"{name}.{_SECTION}"] = "".join(_page(command, name))
    pages[f"{PROGRAM}-config.{_FILES_SECTION}"] = "".join(_config())
    pages[f"{PROGRAM}-settings.{_FILES_SECTION}"] = "".join(_settings())
    return pages


def _program(tree: Command) -> Iterator[str]:
    yield _heading(PROGRAM)
    yield f".SH NAME\n{PROGRAM} \\- {_text(tree.summary.rstrip('.'))}\n"
    yield f".SH SYNOPSIS\n.B {PROGRAM}\n[OPTIONS] COMMAND [ARGUMENTS]\n"
    yield f".SH DESCRIPTION\n{_text(tree.description)}\n"
    yield ".SH OPTIONS\n"
    yield from map(_parameter, tree.parameters)
    yield ".SH COMMANDS\n"
    for command in tree.children:
        page = f"{PROGRAM}-{command.name}".replace("-", "\\-")
        yield f".TP\n\\fB{page}\\fR({_SECTION})\n{_text(command.summary)}\n"
    yield f".SH SEE ALSO\n{_SEE_ALSO}\n"


def _page(command: Command, name: str) -> Iterator[str]:
    yield _heading(name)
    yield f".SH NAME\n{_text(name)} \\- {_text(command.summary.rstrip('.'))}\n"
    leaves = [each for each in all_commands(command) if not each.children]
    yield ".SH SYNOPSIS\n"
    yield ".br\n".join(f"{_text(leaf.usage)}\n" for leaf in leaves)
    yield f".SH DESCRIPTION\n{_text(command.description)}\n"
    for leaf in leaves:
        if leaf is not command:
            yield f".SH {_text(f'{PROGRAM} {leaf.name}').upper()}\n{_text(leaf.description)}\n"
        elif leaf.parameters:
            yield ".SH OPTIONS\n"
        yield from map(_parameter, leaf.parameters)
    yield f".SH SEE ALSO\n{PROGRAM}({_SECTION}), {_SEE_ALSO}\n"


def _config() -> Iterator[str]:
    name = f"{PROGRAM}-config"
    yield _heading(name, _FILES_SECTION)
    yield f".SH NAME\n{_text(name)} \\- keys of .ci/config and .CI/config\n"
    yield f".SH DESCRIPTION\n{_text(CONFIG_FORM)}\n"
    for kind, title in CONFIG_FILES.items():
        yield f".SH {_text(title)}\n"
        for key, description in keys_of(kind):
            yield _tagged(key, description)
    yield f".SH SEE ALSO\n{PROGRAM}({_SECTION}), {PROGRAM}\\-settings({_FILES_SECTION})\n"


def _settings() -> Iterator[str]:
    name = f"{PROGRAM}-settings"
    yield _heading(name, _FILES_SECTION)
    yield f".SH NAME\n{_text(name)} \\- settings of workers, database runners and the web server\n"
    yield f".SH DESCRIPTION\n{_text(_SETTINGS_FORM)}\n.SH VARIABLES\n"
    for each in VARIABLES:
        default = f" Default: {each.default}." if each.default else ""
        yield _tagged(each.name, f"{each.summary}{default} In the file: `{each.key}`.")
    yield f".SH SEE ALSO\n{PROGRAM}({_SECTION}), {PROGRAM}\\-config({_FILES_SECTION})\n"


def _tagged(name: str, description: str) -> str:
    return f".TP\n\\fB{_text(name)}\\fR\n{_text(description)}\n"


def _heading(name: str, section: int = _SECTION) -> str:
    title = _SECTION_TITLES[section]
    return f'.TH "{name.upper()}" {section} "" "{PROGRAM}" "{title}"\n.nh\n'


def _parameter(parameter: Parameter) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in parameter.names)
    value = f" \\fI{_text(parameter.value)}\\fR" if parameter.value else ""
    default = f" Default: {parameter.default}." if parameter.default else ""
    return f".TP\n{names}{value}\n{_text(parameter.help + default)}\n"


def _text(text: str) -> str:
    """Return Markdown, of which little is used, as troff."""
    paragraphs = []
    for paragraph in text.replace("\\", "\\e").replace("-", "\\-").split("\n\n"):
        plain = _CODE.sub(r"\\fB\1\\fR", " ".join(paragraph.split()))
        paragraphs.append(_CONTROL.sub(r"\\&\g<0>", plain))
    return "\n.PP\n".join(paragraphs)
