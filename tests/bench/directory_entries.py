"""As many entries of a directory as wanted: the shipped examples, and offices, people and teams of a large house."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from daemon.directory.contract import Entry
from daemon.directory.entry_file import read_entries

EXAMPLES: Final = Path(__file__).parents[2] / "config" / "directory"

_PLACES: Final = "가람 나루 다솜 라온 마루 바른 사랑 아침 자람 차오름 큰솔 태평 푸른 한빛 새벽 은하 동녘 서문 남산 북촌"
_THINGS: Final = "창고 공장 매장 연구소 기숙사 도서관 체육관 실험실 정비소 물류장 전시장 회의장 주차장 식당 휴게실"
_DEEDS: Final = "신청 조회 예약 발급 등록 신고 정산 안내 요청 문의 변경 취소 접수 점검 대여 반납 교체 철거 승인 배정"
_ADDED: Final = "야간 주말 긴급 정기 임시 단체 개인 해외 국내 신규 공용 전용 무료 유료 온라인 현장"
_ENGLISH: Final = "warehouse factory store lab dormitory library gym workshop depot hall parking canteen lounge"
_FAMILIES: Final = "김이박최정강조윤장임한오서신권황안송류홍"
_GIVEN: Final = "하은수아진영호성훈정미경희선재석민준서연우지현도윤"


def entries(count: int) -> list[Entry]:
    """``count`` of them, the same ones each time."""
    made = read_entries((EXAMPLES / "entries.json").read_bytes())[:count]
    chance = random.Random(1)
    while len(made) < count:
        made.append(_entry(len(made), chance))
    return made


def _entry(number: int, chance: random.Random) -> Entry:
    place, thing, deed = chance.choice(_PLACES.split()), chance.choice(_THINGS.split()), chance.choice(_DEEDS.split())
    team = f"{place}{thing}팀"
    extension = str(20_000 + number)
    match number % 10:
        case 0:
            return Entry(entry_id=f"made:{number}", kind="team", name=f"{team} {number}", number=extension)
        case 1 | 2 | 3 | 4:
            name = chance.choice(_FAMILIES) + chance.choice(_GIVEN) + chance.choice(_GIVEN)
            return Entry(entry_id=f"made:{number}", kind="person", name=name, number=extension, team=team)
    return Entry(
        entry_id=f"made:{number}",
        kind="service",
        name=f"{place} {chance.choice(_ADDED.split())} {thing} {deed}",
        description=f"{place}의 {thing}의 {chance.choice(_ADDED.split())} {deed}을 도와드립니다",
        keywords=(f"{chance.choice(_ENGLISH.split())} {number}", f"{thing} {chance.choice(_DEEDS.split())}"),
        code=f"B{number}",
        number=extension,
        team=team,
    )
