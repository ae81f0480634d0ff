"""VBA modules before LibreOffice: python3 tests/hosts/basic_check.py < CASES.json

Standard input: {"modules": {name: text}, "calls": [[module, function, [arguments]], ...]}.
Standard output: the value of each call, and by module whether it compiles. It is run by the
python3 that has LibreOffice's bridge (package python3-uno) and imports nothing of portbal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

import uno  # type: ignore[import-not-found]

SENTINEL = """

Function CompilesAsAWhole() As String
    CompilesAsAWhole = "yes"
End Function
"""
HEAD = "Rem Attribute VBA_ModuleType=VBAModule\nOption VBASupport 1\n"


def in_basic(text: str) -> str:
    """A .bas module as LibreOffice keeps it: attributes are comments there."""
    lines = [f"Rem {line}" if line.startswith("Attribute ") else line for line in text.splitlines()]
    return HEAD + "\n".join(lines) + SENTINEL


def connected(pipe: str) -> object:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(240):
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except uno.getClass("com.sun.star.connection.NoConnectException"):
            time.sleep(0.25)
    raise SystemExit("LibreOffice did not start")


def called(document: object, module: str, function: str, arguments: list[object]) -> object:
    script = document.getScriptProvider().getScript(  # type: ignore[attr-defined]
        f"vnd.sun.star.script:Standard.{module}.{function}?language=Basic&location=document")
    return script.invoke(tuple(arguments), (), ())[0]


def main() -> None:
    asked = json.load(sys.stdin)
    pipe = f"portbal{os.getpid()}"
    with tempfile.TemporaryDirectory() as profile:
        office = subprocess.Popen(
            ["soffice", "--headless", "--norestore", "--nologo",
             f"-env:UserInstallation=file://{profile}", f"--accept=pipe,name={pipe};urp;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            context = connected(pipe)
            desktop = context.ServiceManager.createInstanceWithContext(  # type: ignore[attr-defined]
                "com.sun.star.frame.Desktop", context)
            hidden = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
            hidden.Name, hidden.Value = "Hidden", True
            always = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
            always.Name, always.Value = "MacroExecutionMode", 4
            document = desktop.loadComponentFromURL(
                "private:factory/scalc", "_blank", 0, (hidden, always))
            libraries = document.BasicLibraries
            libraries.VBACompatibilityMode = True
            if not libraries.hasByName("Standard"):
                libraries.createLibrary("Standard")
            library = libraries.getByName("Standard")
            for name, text in asked["modules"].items():
                library.insertByName(name, in_basic(text))
            compiles = {}
            for name in asked["modules"]:
                try:
                    compiles[name] = called(document, name, "CompilesAsAWhole", []) == "yes"
                except Exception as error:  # noqa: BLE001 - whatever LibreOffice says
                    compiles[name] = str(error)
            values = [called(document, *call) for call in asked["calls"]]
            print(json.dumps({"compiles": compiles, "values": values}))
            document.close(True)
            desktop.terminate()
        finally:
            try:
                office.wait(20)
            except subprocess.TimeoutExpired:
                office.kill()


if __name__ == "__main__":
    main()
