#!/usr/bin/env python3
"""The rules of the code base that a compiler cannot see. Runs as the ctest `tidy`, in a second.

A rule names what to write instead. When a review says the same thing twice, it becomes a rule here.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

DOORS = r"(net|store|stream|notify|gateway|server|cli|app|rehearse)/"
# pattern, what to write instead, where it is allowed
BANNED = [
    (r"(system|steady|high_resolution)_clock::now", "a Clock that was handed in", r"base/clock\.cc|.*_bench\.cc"),
    (r"\b(s?rand|random_device|mt19937)\b", "a seed that was handed in", r"base/prng"),
    (r"\bthrow\b", "Result; exceptions end at the door that met them", DOORS),
    (r"std::(cout|cerr)|\bf?printf\(", "base/log.h, or the Terminal of cli/", r"base/(assert\.h|log\.cc|clock\.cc)|cli/|.*_bench\.cc"),
    (r"(?<![_\w])assert\(", "TAGOUT_ASSERT with its reason", r"$^"),
    (r"using namespace", "the full name, or one using-declaration", r"$^"),
    (r"sleep_for|sleep_until|\busleep\(", "a timer or a Condition", DOORS + r"|.*_test\.cc"),
]
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
VAGUE = re.compile(r"\b\w*(Manager|Helper|Utils?|Misc)\b")
# Files over the limit when the rule came, and what they may not pass. Shrink, never raise.
FILE_LINES_MAX = 800
LINE_MAX = 110


def layers():
    rank = {}
    lines = [line for line in (SRC / "LAYERS").read_text().splitlines() if line and not line.startswith("#")]
    for number, line in enumerate(lines):
        for room in line.split():
            rank[room] = number
    return rank


def retired_words():
    """Rows of the glossary's second table: `word` | write instead."""
    text = (ROOT / "docs/GLOSSARY.md").read_text()
    part = text.split("## Retired words", 1)[1]
    return re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", part, re.M)


def check_source(path, rank, retired):
    relative = path.relative_to(SRC).as_posix()
    room = relative.split("/")[0]
    lines = path.read_text().splitlines()
    if relative == "main.cc":  # the command line's definition, above every room
        rank = {**rank, "main.cc": 99}
    if room not in rank:
        yield 1, f"room '{room}' is not in src/LAYERS"
        return
    if len(lines) > FILE_LINES_MAX:
        yield len(lines), f"file over {FILE_LINES_MAX} lines: split it along a noun"
    if path.suffix == ".h" and not (lines and lines[0].startswith("// ")):
        yield 1, "a header begins with a comment that says what it is for"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX and "R\"" not in line and "://" not in line:
            yield number, f"line over {LINE_MAX} columns"
        include = re.match(r'\s*#include "([a-z]+)/([^"]*/)?', line)
        if include and include[1] != room:
            if include[1] not in rank:
                yield number, f"unknown room {include[1]}/"
            elif rank[include[1]] >= rank[room] and not may_in_test(
                relative, include[1], f"{include[1]}/{include[2] or ''}".rstrip("/"), rank
            ):
                yield number, f"{room}/ may not include {include[1]}/ (src/LAYERS)"
        if MARKS.search(line):
            yield number, "finish it, or write it into the issue"
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//", 1)[0])
        for pattern, instead, allowed in BANNED:
            if re.search(pattern, code) and not re.match(allowed, relative):
                yield number, f"banned here: write {instead}"
        if VAGUE.search(code):
            yield number, "a name that says nothing: name what it holds or does"
        for word, instead in retired:
            if re.search(rf"(?<![a-z]){word}(?![a-z])", code, re.I):
                yield number, f"retired word '{word}': write {instead} (docs/GLOSSARY.md)"


def may_in_test(relative, included, path, rank):
    """A test may use the rooms on its own line, and any test the stores in memory; shipped code may not."""
    room = relative.split("/")[0]
    is_test = re.search(r"_(test|bench|fuzz)\.cc$", relative)
    return is_test and (rank[included] <= rank[room] or path == "store/memory")


def check_map(rank):
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for room in rank:
        if not re.search(rf"^\| `{room}/`", text, re.M):
            yield f"ARCHITECTURE.md: room {room}/ is missing from the code map"
    for room in re.findall(r"^\| `([a-z]+)/`", text, re.M):
        if room not in rank:
            yield f"ARCHITECTURE.md: the code map names {room}/, which src/LAYERS does not"
    for name in re.findall(r"\]\((docs/[^)#]+|api/[^)#]+|src/[^)#]+)\)", text):
        if not (ROOT / name).exists():
            yield f"ARCHITECTURE.md: links to {name}, which is not there"


def check_tree():
    """Machine paths and registry hosts have no place in tracked files; nor have large blobs."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if not path.is_file():
            continue
        if path.stat().st_size > 1_000_000:
            yield f"{name}: over 1 MB; generate it or fetch it by name"
        if path.suffix in {".png", ".gz", ".ico", ".bin"} or name == "tools/tidy.py":
            continue
        text = path.read_text(errors="replace")
        if name.endswith("package-lock.json"):
            if re.search(r'"resolved":\s*"https?://', text):
                yield f"{name}: names a registry host; write it with omit-lockfile-registry-resolved"
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"(?<![\w.])/(work|root|home/\w+)/", line):
                yield f"{name}:{number}: a path of one machine"


def main():
    rank = layers()
    retired = retired_words()
    problems = list(check_map(rank)) + list(check_tree())
    for path in sorted(SRC.rglob("*")):
        if path.suffix in {".h", ".cc"}:
            problems += [f"{path.relative_to(ROOT)}:{n}: {m}" for n, m in check_source(path, rank, retired)]
    print("\n".join(problems) or "tidy")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
