"""Files of certificates that a peer is trusted by, as the configuration names them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from daemon.broken_rule import BrokenRule
from daemon.toml_lines import KeyPath


def authority_rule(file: str, path: KeyPath) -> Iterator[BrokenRule]:
    """Whether ``file``, where one is named, holds certificates: otherwise that would show when a peer is called."""
    problem = authority_problem(file) if file else ""
    if problem:
        yield BrokenRule(path, problem, "name a PEM file, or leave it out")


def authority_problem(file: str) -> str:
    """Why ``file`` is no PEM file with certificates, ``""`` where it is one."""
    if not Path(file).is_file():
        return f'there is no file "{file}"'
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        found = 0
    except OSError as error:
        return f'"{file}" cannot be read ({error.strerror})'
    else:
        found = context.cert_store_stats()["x509"]  # a file of revocations alone is loaded too
    return "" if found else f'"{file}" holds no certificate in PEM'
