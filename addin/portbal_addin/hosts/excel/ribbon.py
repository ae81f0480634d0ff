"""The ribbon tab "Portfolio" as customUI14.xml, from the commands."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from portbal_addin.macros.commands import GROUPS, Command, commands

NAMESPACE = "http://schemas.microsoft.com/office/2009/07/customui"
RELATIONSHIP = "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility"
PART = "customUI/customUI14.xml"


def ribbon(chosen: Iterable[Command] | None = None) -> str:
    """The part's text; every button calls PortbalCommand with the command's name as its tag."""
    listed = list(commands().values() if chosen is None else chosen)
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
        f'<customUI xmlns="{NAMESPACE}">', "  <ribbon>", "    <tabs>",
        '      <tab id="portbalTab" label="Portfolio" getVisible="PortbalTabVisible">',
    ]
    for group in GROUPS:
        members = [command for command in listed if command.group == group]
        if members:
            lines.append(f'        <group id="portbal{group}" label={quoteattr(group)}>')
            lines += [f"          {_button(command)}" for command in members]
            lines.append("        </group>")
    return "\n".join([*lines, "      </tab>", "    </tabs>", "  </ribbon>", "</customUI>", ""])


def _button(command: Command) -> str:
    attributes = {
        "id": f"portbal_{command.identifier}", "size": "large", "label": command.label,
        "imageMso": command.image, "screentip": command.screentip, "supertip": command.supertip,
        "tag": command.identifier, "onAction": "PortbalCommand",
    }
    return f"<button {' '.join(f'{k}={quoteattr(v)}' for k, v in attributes.items())}/>"
