"""Who can be reached in the demo: a fictional firm, with extensions of the simulated switch."""

from __future__ import annotations

from typing import Final

from daemon.stores.directory_entries import DirectoryEntryRow, EntryKind


def _entry(kind: EntryKind, name: str, number: str, *keywords: str, team: str = "") -> DirectoryEntryRow:
    return DirectoryEntryRow(
        entry_id=f"demo:{number}", kind=kind, name=name, number=number, keywords=keywords, team=team
    )


ENTRIES: Final = (
    _entry("team", "인사팀", "7100", "인사과", "HR"),
    _entry("service", "휴가 신청", "7101", "연차", team="인사팀"),
    _entry("team", "전산지원팀", "7200", "전산실", "IT"),
    _entry("service", "비밀번호 초기화", "7201", "비번 변경", "계정 잠김", team="전산지원팀"),
    _entry("team", "총무팀", "7300", "총무과"),
    _entry("person", "홍길동", "2001", "팀장", team="인사팀"),
    _entry("person", "박보기", "2002", "팀장", team="전산지원팀"),
)
