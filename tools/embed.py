#!/usr/bin/env python3
"""Writes a folder of files as one C++ source: `embed.py FOLDER OUT`. See src/server/assets.h.

String literals instead of arrays of numbers: compilers read them a hundred times faster.
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
    ".webmanifest": "application/manifest+json", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
    ".map": "application/json",
}
WITHOUT_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Tagout</title>
<body><h1>Tagout is running</h1><p>This program was built without its page.
Run <code>./dev build</code>, which builds the page and embeds it. The API is at <code>/v1/now</code>.</p></body></html>
"""


def literal(data):
    """C++ string literals of at most 8 KiB each, octal escapes for what is not plain."""
    plain = {byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?'}
    pieces = []
    for start in range(0, len(data), 8192):
        pieces.append('"' + "".join(plain.get(byte) or f"\\{byte:03o}" for byte in data[start:start + 8192]) + '"')
    return "\n".join(pieces) or '""'


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = {"/" + path.relative_to(folder).as_posix(): path.read_bytes()
             for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".map"} if folder.is_dir() else {}
    if "/index.html" not in files:
        files = {"/index.html": WITHOUT_PAGE}
    text = ['// Made by tools/embed.py; do not edit.', '#include "server/assets.h"', "namespace tagout::server {", "namespace {"]
    rows = []
    for number, (name, content) in enumerate(files.items()):
        packed = gzip.compress(content, 9, mtime=0)
        etag = '\\"' + hashlib.sha256(content).hexdigest()[:16] + '\\"'
        kind = TYPES.get(pathlib.PurePosixPath(name).suffix, "application/octet-stream")
        text.append(f"constexpr char gzip_{number}[] =\n{literal(packed)};")
        text.append(f"constexpr char plain_{number}[] =\n{literal(content)};")
        rows.append(f'    {{"{name}", "{kind}", "{etag}", {{gzip_{number}, {len(packed)}}}, {{plain_{number}, {len(content)}}}}},')
    text += ["constexpr Asset all[] = {", *rows, "};", "}  // namespace",
             "std::span<const Asset> assets() noexcept { return all; }", "}  // namespace tagout::server", ""]
    content = "\n".join(text)
    if not out.exists() or out.read_text() != content:
        out.write_text(content)


if __name__ == "__main__":
    main()
