# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Writes the manual from the tree of commands: `ibkr --experimental-dump-help` on standard input, a
page for each command into the folder, in mdoc(7). The table of exit codes is that of the article
"Get started with a gateway"; what follows below about variables and files holds for the whole program.

Usage: man.py FOLDER VERSION SECONDS_SINCE_1970
"""

import json
import re
import sys
import textwrap
import time
from pathlib import Path

root = Path(__file__).resolve().parents[2]
folder, version, stamp = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
moment = time.gmtime(stamp)
date = f"{time.strftime('%B', moment)} {moment.tm_mday}, {moment.tm_year}"

# Variables of every command that connects, and of all commands.
CONNECTING = [
    ("IBIND_REST_URL", "The gateway's address, up to /v1/api."),
    ("IBIND_WS_URL", "The address of its socket, where that is elsewhere."),
    ("IBIND_CACERT", "A PEM file with the authorities to trust, or False to trust anybody."),
    ("IBIND_ACCOUNT_ID", "The account, where a login has several."),
    ("IBIND_TICKLER_INTERVAL", "Seconds between two signs of life to the session."),
    ("IBIND_USE_OAUTH", "True to log in by OAuth 1.0a instead of using a gateway."),
    ("IBIND_OAUTH1A_ACCESS_TOKEN", "The access token. This, its secret (…_ACCESS_TOKEN_SECRET), the consumer "
     "key (…_CONSUMER_KEY) and the Diffie-Hellman prime (…_DH_PRIME) can also be in files that "
     "IBKR_OAUTH1A_…_FILE name, behind descriptors (IBKR_OAUTH1A_…_FD), or systemd credentials."),
    ("IBIND_OAUTH1A_ENCRYPTION_KEY_FP", "The file of the private encryption key."),
    ("IBIND_OAUTH1A_SIGNATURE_KEY_FP", "The file of the private signature key."),
    ("IBIND_INIT_OAUTH", "False to leave the first login to the program's caller. Likewise "
     "IBIND_INIT_BROKERAGE_SESSION, IBIND_MAINTAIN_OAUTH and IBIND_SHUTDOWN_OAUTH."),
    ("IBIND_WS_SUBSCRIPTION_RETRIES", "How often a subscription is asked for; without it as long as it is "
     "wanted."),
    ("IBIND_WS_SUBSCRIPTION_TIMEOUT", "Seconds until it is asked for again. Likewise "
     "IBIND_WS_PING_INTERVAL, IBIND_WS_MAX_PING_INTERVAL and IBIND_WS_TIMEOUT."),
    ("HTTPS_PROXY", "An HTTP proxy to go through with CONNECT; ALL_PROXY for the same, NO_PROXY for who is "
     "reached without it."),
]
ALWAYS = [
    ("IBKR_CONFIG", "The configuration file."),
    ("NO_COLOR", "Without colour, whatever it says."),
]
CONNECTING_FILES = [
    ("~/.cache/ibkr/instruments.ndjson", "What symbols stand for, as found within the last day; below "
     "$XDG_CACHE_HOME where that is set."),
]
FILES = [
    ("./ibkr.json", "The configuration file, where no other is named."),
    ("~/.config/ibkr/config.json", "The same, where there is none in the directory; below $XDG_CONFIG_HOME "
     "where that is set."),
]
SERVICE_FILES = [
    ("/etc/ibkr/watchlist.txt", "The instruments that the service records, one in a line."),
    ("/etc/ibkr/environment", "Variables of the service; root's alone."),
    ("/var/lib/ibkr/data", "What the service has recorded."),
]


def roff(text: str) -> str:
    """Text in which nothing is a request, an escape or a typographic hyphen."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("~", "\\(ti")
    text = text.replace("^", "\\(ha").replace("'", "\\(aq")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    # Neither may a line be empty, or begin as a request does.
    return re.sub(r"^(?=[.']|$)", r"\\&", text, flags=re.M)


def word(text: str) -> str:
    """One argument of a macro, which is no macro itself."""
    return "\\&" + roff(text).replace('"', "\\(dq").replace(" ", "\\ ")


def sentences(text: str) -> str:
    """Running text, a line for each sentence, as mdoc wants it."""
    lines = re.split(r"(?<=[.!?]) +(?=[A-Z<])", " ".join(text.split()))
    return "\n".join(roff(part) for line in lines for part in
                     textwrap.wrap(line, 60, break_long_words=False, break_on_hyphens=False))


def paragraphs(discussion: str) -> tuple[list[str], list[str]]:
    """The lines of a discussion: those to be read, and those of its examples."""
    prose, examples = [], []
    for block in filter(None, re.split(r"\n\s*\n", discussion.strip("\n"))):
        lines = block.split("\n")
        if lines[0] == "Examples:":
            examples += [line.strip() for line in lines[1:]]
        elif all(line.startswith("  ") for line in lines):
            prose.append(".Bd -literal -offset indent\n" + "\n".join(roff(line[2:]) for line in lines) + "\n.Ed")
        else:
            if prose:
                prose.append(".Pp")
            prose.append(sentences(block))
    return prose, examples


def flags(argument: dict) -> str:
    """The head of an option: -o, --output dir."""
    names = [f".Fl {word(n['name'])}" if n["kind"] == "short" else f"Fl \\-{roff(n['name'])}"
             for n in sorted(argument["names"], key=lambda n: len(n["name"]))]
    head = " , ".join(name.removeprefix(".") for name in names)
    if argument["kind"] == "option":
        head += f" Ar {word(argument['valueName'])}"
    return head


def shown(argument: dict) -> bool:
    return argument.get("shouldDisplay", True)


def items(arguments: list[dict]) -> list[str]:
    lines = [".Bl -tag -width Ds"]
    for argument in arguments:
        head = f"Ar {word(argument['valueName'])}" if argument["kind"] == "positional" else flags(argument)
        lines.append(f".It {head}")
        text = argument.get("abstract", "")
        if argument.get("allValues"):
            text = f"{text} One of {', '.join(argument['allValues'])}."
        if argument.get("defaultValue"):
            text = f"{text} The default is {argument['defaultValue']}."
        if text:
            lines.append(sentences(text))
        if argument.get("discussion"):
            lines.append(sentences(argument["discussion"]))
    return [*lines, ".El"]


def synopsis(name: str, command: dict) -> list[str]:
    arguments = [a for a in command.get("arguments", []) if shown(a)]
    lines = [f".Nm {name}"]
    if command.get("subcommands"):
        return [*lines, ".Ar command", ".Op Ar argument ..."]
    if any(a["kind"] != "positional" and a["isOptional"] for a in arguments):
        lines.append(".Op Ar options")
    for a in arguments:
        if a["kind"] != "positional" and not a["isOptional"]:
            lines.append("." + flags({**a, "names": a["names"][:1]}))
    for a in arguments:
        if a["kind"] == "positional":
            text = f"Ar {word(a['valueName'])}" + (" ..." if a["isRepeating"] else "")
            lines.append(f".Op {text}" if a["isOptional"] else f".{text}")
    return lines


def tagged(kind: str, rows: list[tuple[str, str]]) -> list[str]:
    lines = [".Bl -tag -width Ds"]
    for name, text in rows:
        lines += [f".It {kind} {word(name)}", sentences(text)]
    return [*lines, ".El"]


def exit_codes() -> list[tuple[str, str]]:
    text = (root / "Sources/IBKR/IBKR.docc/GetStartedWithAGateway.md").read_text()
    table = text[text.index("| exit code |"):].split("\n\n")[0].splitlines()[2:]
    return [(code, f"{meaning[0].upper()}{meaning[1:]}.".replace("`", ""))
            for code, meaning in (line.strip("| ").split(" | ", 1) for line in table)]


def related(path: list[str], command: dict, tree: dict) -> list[str]:
    if len(path) == 1:
        names = ["-".join([*path, c["commandName"]]) for c in command["subcommands"]
                 if c["commandName"] != "help"]
    else:
        names = {"-".join(path[:n]) for n in range(1, len(path))}
        names |= {"-".join([*path, c["commandName"]]) for c in command.get("subcommands", [])}
    names = sorted(names)
    return [f".Xr {name} 1" + (" ," if name != names[-1] else "") for name in names]


def page(path: list[str], command: dict, tree: dict) -> str:
    name, title = " ".join(path), "-".join(path)
    arguments = [a for a in command.get("arguments", []) if shown(a)]
    connects = any((a.get("preferredName") or {}).get("name") == "gateway" for a in arguments)
    prose, examples = paragraphs(command.get("discussion", ""))
    lines = ['.\\" Made from the commands of ibkr; see scripts/release.',
             f".Dd {date}", f".Dt {title.upper()} 1", f".Os ibkr {version}",
             ".Sh NAME", f".Nm {title}", f".Nd {roff(command.get('abstract', '').rstrip('.'))}",
             ".Sh SYNOPSIS", *synopsis(name, command), ".Sh DESCRIPTION",
             *(prose or [sentences(command["abstract"])])]
    if command.get("subcommands"):
        lines += [".Pp", "The commands are:", *tagged("Cm", [
            (c["commandName"], c.get("abstract", "")) for c in command["subcommands"]
            if c.get("shouldDisplay", True)])]
    positional = [a for a in arguments if a["kind"] == "positional"]
    if positional:
        lines += [".Pp", "The arguments are:", *items(positional)]
    sections = {}
    for argument in arguments:
        if argument["kind"] != "positional":
            sections.setdefault(argument.get("sectionTitle") or "Options", []).append(argument)
    for section in sorted(sections, key=lambda s: s == "Options", reverse=True):
        lines += [f".Ss {roff(section)}", *items(sections[section])]
    files = [*(CONNECTING_FILES if connects else []), *FILES,
             *(SERVICE_FILES if "service" in path or len(path) == 1 else [])]
    lines += [".Sh ENVIRONMENT", *tagged("Ev", (CONNECTING if connects or len(path) == 1 else []) + ALWAYS),
              ".Sh FILES", *tagged("Pa", files),
              ".Sh EXIT STATUS", *tagged("Sy", exit_codes())]
    if examples:
        lines += [".Sh EXAMPLES", ".Bd -literal -offset indent", *map(roff, examples), ".Ed"]
    return "\n".join([*lines, ".Sh SEE ALSO", *related(path, command, tree)]) + "\n"


def write(path: list[str], command: dict, tree: dict) -> int:
    (folder / f"{'-'.join(path)}.1").write_text(page(path, command, tree))
    return 1 + sum(write([*path, c["commandName"]], c, tree) for c in command.get("subcommands", [])
                   if c["commandName"] != "help" and c.get("shouldDisplay", True))


def uncompleted(path: list[str], command: dict) -> list[str]:
    """The options and arguments that are files, and that the shells do not know to be."""
    found = [" ".join([*path, a["valueName"]]) for a in command.get("arguments", [])
             if a.get("valueName") in ("file", "dir", "path") and not a.get("completionKind")]
    return found + [name for c in command.get("subcommands", [])
                    for name in uncompleted([*path, c["commandName"]], c)]


source = "\n".join(p.read_text() for p in (root / "Sources").rglob("*.swift"))
for name, _ in CONNECTING + ALWAYS:
    if f'"{name}"' not in source:
        sys.exit(f"error: the manual names {name}, which no source file reads")
tree = json.load(sys.stdin)["command"]
if names := uncompleted([tree["commandName"]], tree):
    sys.exit(f"error: say `completion: .file()` or `.directory` for {', '.join(names)}")
print(write([tree["commandName"]], tree, tree), "pages of the manual")
