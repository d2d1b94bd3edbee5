"""`gate-scanner config`: what is in force, what differs, a first file, the pins at boot, the schema."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import DEFAULT_CONFIG, takes_config
from device.config.questions import QUESTIONS, questions_after
from device.errors import ConfigError, ExitCode, GateError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from device.config.questions import Question

FILE_MODE = 0o640
"""The daemon's group reads it; it names files with secrets and holds none."""

GROUP = "gate-scanner"


def add_config(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    config = commands.add_parser("config", help="make a configuration; what is in force; what differs")
    kinds = config.add_subparsers(title="commands", metavar="COMMAND", required=True)

    init = kinds.add_parser(
        "init",
        help="a first configuration file, from a few answers",
        description="Asks on a terminal for what no flag answers, and writes a commented FILE that `check` "
        "accepts. Never replaces a file.",
        epilog="Example: gate-scanner config init gate.yaml --tenant phu-vang --site an-bang --name north",
    )
    init.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"default: {DEFAULT_CONFIG}",
    )
    _takes_answers(init)
    init.set_defaults(command=_init)

    show = kinds.add_parser("show", help="the effective configuration, defaults included, as YAML")
    takes_config(show)
    show.set_defaults(command=_show)

    diff = kinds.add_parser(
        "diff",
        help="what differs from the defaults",
        description="Prints the settings of FILE that are not the default, as YAML, each with its default.",
    )
    diff.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"default: {DEFAULT_CONFIG}",
    )
    diff.set_defaults(command=_diff)

    pins = kinds.add_parser(
        "boot-pins",
        help="lines for config.txt, so that nothing moves while a Raspberry Pi starts",
        description="Prints a line for each output: what its pin rests at until the program claims it.",
    )
    takes_config(pins)
    pins.set_defaults(command=_boot_pins)

    schema = kinds.add_parser("schema", help="JSON Schema of the configuration file, for editors")
    schema.set_defaults(command=_schema)


def _takes_answers(init: argparse.ArgumentParser) -> None:
    answers = init.add_argument_group("answers")
    for question in QUESTIONS:
        answers.add_argument(question.flag, dest=question.path, metavar="X", help=question.text)


# -- commands -------------------------------------------------------------------------------------


def _show(args: argparse.Namespace) -> int:
    from device.config.effective import show
    from device.config.loader import load

    print(show(load(args.config, check_files=False)), end="")
    return ExitCode.OK


def _diff(args: argparse.Namespace) -> int:
    from device.config.effective import difference
    from device.config.loader import load

    print(difference(load(args.file, check_files=False)), end="")
    return ExitCode.OK


def _boot_pins(args: argparse.Namespace) -> int:
    from device.config.boot import boot_defaults
    from device.config.loader import load

    for line in boot_defaults(load(args.config, check_files=False)):
        print(line)
    return ExitCode.OK


def _schema(_: argparse.Namespace) -> int:
    from device.config.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return ExitCode.OK


def _init(args: argparse.Namespace) -> int:
    from device.config.interview import text_of

    file: Path = args.file.absolute()
    if file.exists():
        raise GateError(f"{file} is there already, and stays as it is: edit it, or name another file")
    schema = Path(sys.prefix, "share/gate-scanner/config/gate.schema.json")
    answers = _answers(args, file.parent)
    text = text_of(answers, file=file, schema=str(schema) if schema.exists() else "gate.schema.json")
    _write(file, text)
    print(f"{file} is written.")
    return _told_what_is_left(file)


def _answers(args: argparse.Namespace, folder: Path) -> dict[str, str]:
    """Flags first, then the terminal for the rest; each answer is judged at once."""
    from device.config.interview import complaint

    given = {q.path: text for q in QUESTIONS if (text := getattr(args, q.path)) is not None}
    answers: dict[str, str] = {}
    asks = sys.stdin.isatty()
    while (question := next(questions_after(answers), None)) is not None:
        flagged = given.get(question.path)
        if flagged is None and not asks and question.required:
            raise GateError(f"{question.flag} is needed where nobody can be asked")
        answers[question.path] = question.usual if flagged is None else flagged
        if flagged is None and asks:
            answers[question.path] = _asked(question)
        wrong = complaint(question.path, answers, folder=folder)
        if wrong and flagged is None and asks:
            print(f"  {wrong}", file=sys.stderr)
            del answers[question.path]
        elif wrong:
            raise GateError(f"{question.flag}: {wrong}")
    if unused := given.keys() - answers.keys():
        flag = next(q.flag for q in QUESTIONS if q.path in unused)
        raise GateError(f"{flag} does not go with the other answers")
    return answers


def _asked(question: Question, read: Callable[[str], str] = input) -> str:
    usual = f" [{question.usual}]" if question.usual else ""
    try:
        while True:
            answer = read(f"{question.text}{usual}: ").strip() or question.usual
            if answer or not question.required:
                return answer
    except EOFError:
        raise GateError("nothing was written") from None


def _write(file: Path, text: str) -> None:
    from device.durable import write_new

    try:
        write_new(file, text.encode(), mode=FILE_MODE)
    except FileNotFoundError:
        raise GateError(f"there is no folder {file.parent}") from None
    except OSError as error:
        raise GateError(f"{file}: {error.strerror} (sudo?)") from error
    with contextlib.suppress(LookupError, PermissionError):  # on the laptop there is no such group
        shutil.chown(file, group=GROUP)


def _told_what_is_left(file: Path) -> int:
    """What `check` says: files the district sent may still have to be put beside it."""
    from device.config.loader import load_all
    from device.config.report import format_problems

    try:
        notes = load_all(file).notes
    except ConfigError as error:
        print("still to be done, then ask `gate-scanner check` again:")
        print(format_problems(error.problems, as_json=False))
        return ExitCode.OK
    if notes:
        print("worth a second look:")
        print(format_problems(notes, as_json=False))
    return ExitCode.OK
