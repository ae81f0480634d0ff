"""What ``portbal install`` writes, and how ``portbal uninstall`` takes it back.

Every path is planned first. What lay there before is kept beside it, and a list of all that was
written lies in the user's .portbal folder, so that taking back restores it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from portbal.errors import InputError, NotAvailable
from portbal_addin.hosts.excel import machine as places
from portbal_addin.hosts.excel.machine import Machine, join

KEPT = ".before-portbal"


@dataclass(frozen=True)
class Step:
    """One file to write. ``what`` says what for."""

    path: str
    what: str
    content: bytes


@dataclass(frozen=True)
class Written:
    """path, the hash of what was written, and whether another file lay there (kept beside)."""

    path: str
    digest: str
    kept: bool


def plan(machine: Machine, files: Mapping[str, bytes]) -> tuple[Step, ...]:
    """files: portbal.xlam and templates by name.

    NotAvailable when there is no Excel, or one that cannot start Python.
    """
    excel = places.excel_path(machine)
    if not excel:
        raise NotAvailable("no Excel was found on this computer",
                           fix="Install Excel for Windows, then run portbal install again.")
    for what, path in (("Excel", excel), ("Python", machine.python)):
        if places.is_from_store(path):
            raise NotAvailable(
                f"{what} is the edition from the Microsoft Store ({path}), which Excel's macros "
                "cannot work with",
                fix=f"Install {'Office from office.com' if what == 'Excel' else 'Python'}"
                f"{'' if what == 'Excel' else ' from python.org'}, then run portbal install again.",
            )
    steps = [Step(places.settings_path(machine), "settings: which Python to use",
                  _settings(machine))]
    for name, content in files.items():
        if name.endswith(".xlam"):
            steps.append(Step(join(places.start_folder(machine), name),
                              "the add-in, which Excel opens when it starts", content))
        else:
            steps.append(Step(join(places.template_folder(machine), name),
                              "a template, offered under New, Personal", content))
    return tuple(steps)


def _settings(machine: Machine) -> bytes:
    """The settings file with this interpreter; other lines in it are kept."""
    old = (machine.read(places.settings_path(machine)) or b"").decode(machine.code_page, "replace")
    kept = [line for line in old.splitlines()
            if line.strip() and not line.upper().startswith('"INTERPRETER_WIN"')]
    path = machine.python
    profile = machine.variable("USERPROFILE")
    if not path.isascii() and profile and path.lower().startswith(profile.lower()):
        path = f"%USERPROFILE%{path[len(profile):]}"
    try:
        line = f'"INTERPRETER_WIN","{path}"'
        return "".join(f"{each}\r\n" for each in (*kept, line)).encode(machine.code_page)
    except UnicodeEncodeError:
        raise NotAvailable(
            f"the path of the interpreter ({machine.python}) has characters that Excel's settings "
            "cannot hold", fix="Install Python in a folder with plain letters, such as C:\\Python.",
        ) from None


def apply(machine: Machine, steps: tuple[Step, ...]) -> tuple[Written, ...]:
    """Write all files, or none; InputError with the reason."""
    result = {written.path: written for written in _listed(machine)}
    writes: list[tuple[str, bytes]] = []
    for step in steps:
        old, listed = machine.read(step.path), result.get(step.path)
        ours = listed is not None and old is not None and _digest(old) == listed.digest
        has_kept = listed is not None and listed.kept
        if old is not None and not ours and not has_kept:
            writes.append((step.path + KEPT, old))
            has_kept = True
        writes.append((step.path, step.content))
        result[step.path] = Written(step.path, _digest(step.content), has_kept)
    writes.append((_list_path(machine), _as_json(result.values())))
    _write_all(machine, writes)
    return tuple(result.values())


def _write_all(machine: Machine, writes: list[tuple[str, bytes]]) -> None:
    before: dict[str, bytes | None] = {}
    path = ""
    try:
        for path, content in writes:
            before[path] = machine.read(path)
            machine.write(path, content)
    except OSError as error:
        for written, old in reversed(before.items()):
            if machine.read(written) == old:
                continue
            if old is None:
                machine.remove(written)
            else:
                machine.write(written, old)
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}",
            fix="Close Excel, then run portbal install again; nothing was changed.",
        ) from None


def _as_json(listed: Iterable[Written]) -> bytes:
    return json.dumps([asdict(written) for written in listed], indent=1).encode("utf-8")


def remove(machine: Machine, *, dry_run: bool = False) -> tuple[str, ...]:
    """Take back all that was written; one line a file. What was changed since is left."""
    lines = []
    left: list[Written] = []
    for written in _listed(machine):
        now = machine.read(written.path)
        if now is not None and _digest(now) != written.digest:
            lines.append(f"kept      {written.path}  (changed since it was installed)")
            continue
        try:
            if written.kept:
                lines.append(f"restored  {written.path}")
                if not dry_run:
                    machine.write(written.path, machine.read(written.path + KEPT) or b"")
                    machine.remove(written.path + KEPT)
            elif now is not None:
                lines.append(f"removed   {written.path}")
                if not dry_run:
                    machine.remove(written.path)
        except OSError as error:
            left.append(written)
            lines[-1] = (f"FAILED    {written.path}  ({error.strerror or error}; close Excel and "
                         "run portbal uninstall again)")
    path = _list_path(machine)
    if not dry_run and machine.read(path) is not None:
        if left:
            machine.write(path, _as_json(left))
        else:
            machine.remove(path)
    return tuple(lines)


def _list_path(machine: Machine) -> str:
    return join(places.home(machine), "installed.json")


def _listed(machine: Machine) -> tuple[Written, ...]:
    content = machine.read(_list_path(machine))
    if content is None:
        return ()
    try:
        return tuple(Written(**each) for each in json.loads(content))
    except (ValueError, TypeError):
        raise InputError(f"{_list_path(machine)} is damaged",
                         fix="Remove it, and remove portbal's files by hand.") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
