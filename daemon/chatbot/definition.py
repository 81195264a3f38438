"""A service of the chatbot as its function or class and the configuration define it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from daemon.chatbot.phrases import RESERVED, plain
from daemon.chatbot.turn import Reply, Turn
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Role
from daemon.directory.contract import Kind
from daemon.plugins import OPTIONS, Parameter, Plugin, PluginError, load, plugin_of
from daemon.toml_lines import KeyPath


class BuiltIn(msgspec.Struct, frozen=True):
    """What the configuration need not say of a service, as of one that comes with Parley.

    Of entries of the directory of the kinds ``tells_of`` it tells where nothing but their name is written. Where it
    ``knows_days``, what its words say of today may be asked of any day.
    """

    path: str
    title: str
    words: tuple[str, ...] = ()
    role: Role = "viewer"
    titles: tuple[str, ...] = ()
    tells_of: tuple[Kind, ...] = ()
    endings: tuple[str, ...] = ()
    knows_days: bool = False


_HERE: Final = "daemon.chatbot.services"
BUILT_IN: Final = MappingProxyType(
    {
        "people": BuiltIn(
            f"{_HERE}.people:find_people",
            "사람·팀 찾기",
            (
                "사람 찾기",
                "팀 찾기",
                "담당자 찾기",
                "전화번호 찾기",
                "연락처",
                "내선번호",
                "조직도",
                "find a person",
                "내 내선",
                "우리 팀",
                "팀원",
            ),
            titles=("내 번호", "내 내선번호", "내 전화번호"),
            tells_of=("person", "team", "service"),
        ),
        "tgday": BuiltIn(f"{_HERE}.tgday:tgday", "tgday", ("내 tgday", "날짜 등록"), titles=("티지데이", "tg day")),
        "mail": BuiltIn(
            f"{_HERE}.mail:send_mail",
            "메일 보내기",
            ("메일", "이메일", "이메일 보내기", "메일 쓰기", "메일 발송", "send a mail"),
            "operator",
            endings=("메일 보내기", "메일 보내줘", "메일 보내줘요", "메일 보내주세요", "메일 써줘"),
        ),
        "forwarding": BuiltIn(
            f"{_HERE}.forwarding:forwarding",
            "착신전환",
            ("착신 전환", "전화 돌리기", "전화 돌려놓기", "전화 착신", "call forwarding"),
            endings=(
                "착신전환",
                "착신전환 해줘",
                "착신전환 해주세요",
                "착신전환 걸어줘",
                "착신전환 좀 걸어줘",
                "착신전환 꺼줘",
                "착신전환 해제",
                "착신전환 해제해줘",
                "착신전환 취소해줘",
                "전화 돌려줘",
                "전화 돌려줘요",
                "전화 돌려주세요",
                "전화 좀 돌려줘",
                "부재중 전환",
                "부재중 전환 해줘",
                "부재중 전환 해주세요",
            ),
        ),
        "dial": BuiltIn(
            f"{_HERE}.dial:dial",
            "전화 걸기",
            ("전화 걸어줘", "전화 연결", "클릭투콜", "전화하기", "click to call"),
            "operator",
            endings=(
                "전화 걸기",
                "전화 걸어",
                "전화 걸어줘",
                "전화 걸어줘요",
                "전화 걸어주세요",
                "전화 좀 걸어줘",
                "전화 해",
                "전화 해줘",
                "전화 해줘요",
                "전화 해주세요",
                "전화 좀 해줘",
                "전화 연결",
                "전화 연결해줘",
            ),
        ),
        "on_the_phone": BuiltIn(
            f"{_HERE}.on_the_phone:on_the_phone",
            "지금 통화 중인 사람",
            ("통화 중", "누가 통화 중", "통화 현황", "지금 통화", "on the phone"),
        ),
        "todays_calls": BuiltIn(
            f"{_HERE}.todays_calls:todays_calls",
            "오늘 통화",
            (
                "오늘의 통화",
                "통화 내역",
                "통화 기록",
                "대화록",
                "내 통화",
                "today's calls",
                "오늘 전화",
                "최근 통화",
                "지난 통화",
                "부재중",
                "부재중 전화",
                "부재중 통화",
                "오늘 부재중",
                "오늘 부재중 전화",
                "놓친 전화",
                "못 받은 전화",
                "받지 못한 전화",
                "안 받은 전화",
                "missed calls",
            ),
            knows_days=True,
        ),
    }
)

Step = Callable[[Turn], Awaitable[Reply]]


class Offered(msgspec.Struct, frozen=True):
    """A service of the configuration, and the key it stands at. ``may_be_left_out``: where what it needs is not there,
    as the built-in ones are that stand in a list which everybody has."""

    config: ChatbotServiceConfig
    path: KeyPath
    may_be_left_out: bool


class Definition(msgspec.Struct, frozen=True):
    """One service. ``argument`` is the name of what it takes the turn by; ``words`` are title and further ones. What
    follows one of ``titles`` is said to it, as after its title; so is what stands before one of ``endings``, be it
    nothing."""

    config: ChatbotServiceConfig
    plugin: Plugin
    argument: str
    title: str
    words: tuple[str, ...]
    role: Role
    tells_of: tuple[Kind, ...] = ()
    titles: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    knows_days: bool = False

    @property
    def description(self) -> str:
        """The first line of its docstring, for people."""
        return self.plugin.description.partition("\n")[0].rstrip(".")

    def missing(self, supplied: Collection[type]) -> list[Parameter]:
        """What it needs that is not among ``supplied``."""
        needs = (need for need in self.plugin.needs.values() if need.is_needed and need.name != OPTIONS)
        return [need for need in needs if need.contract not in supplied]

    def check(self, supplied: Collection[type], *, may_lack: bool = False) -> None:
        """Raise :class:`PluginError` where it cannot be used: its options do not fit, or, unless it ``may_lack`` that,
        it asks for something that is not among ``supplied``."""
        if may_lack and self.missing(supplied):
            supplied = {need.contract for need in self.plugin.needs.values() if need.contract is not None}
        self.plugin.check(supplied, taken={self.argument}, options=self.config.options)

    def bind(self, supplies: Mapping[type, object]) -> Step:
        """The service with all it needs. Raises :class:`PluginError` where something is missing."""
        run = self.plugin.bind(supplies, taken={self.argument}, options=self.config.options)

        async def step(turn: Turn) -> Reply:
            reply: Any = await run(**{self.argument: turn})
            if not isinstance(reply, Reply):
                raise TypeError(f"{self.plugin.path} returned no Reply")
            return _kept(reply)

        return step


def _kept(reply: Reply) -> Reply:
    """``reply`` as it is remembered. Raises ``TypeError`` or ``ValueError`` for what cannot be, or says nothing.

    Found out later it would cost the whole answer, or the conversation.
    """
    kept = msgspec.json.decode(msgspec.json.encode(reply), type=Reply)
    if not (kept.text.strip() or kept.choices or kept.fields):
        raise ValueError("a reply says something")
    return kept


def define(config: ChatbotServiceConfig) -> Definition:
    """Load a service. Raises :class:`PluginError`."""
    used = config.use or config.name
    built_in = BUILT_IN.get(used)
    if built_in is None and ":" not in used:
        remedy = f"write package.module:name, or one of {', '.join(BUILT_IN)}"
        raise PluginError(f'there is no built-in service "{used}"', remedy)
    if built_in is None:
        return _of(config, load(used, method="run"), BuiltIn(used, config.name))
    return _of(config, load(built_in.path), built_in)


def define_as(config: ChatbotServiceConfig, made: Any) -> Definition:
    """As :func:`define`, of a function or class that is at hand, whatever ``config`` names."""
    plugin = plugin_of(made, method="run")
    return _of(config, plugin, BuiltIn(plugin.path, config.name))


def _of(config: ChatbotServiceConfig, plugin: Plugin, usual: BuiltIn) -> Definition:
    if len(plugin.arguments) != 1:
        problem = f"{plugin.path} takes {len(plugin.arguments)} arguments by position, and is given one: the turn"
        raise PluginError(problem, "take the turn as the only one, and everything else by keyword only")
    title = config.title or usual.title
    words = (title, *config.words, *usual.titles, *usual.words)
    for word in (config.name, *words):
        if not plain(word) or plain(word) in RESERVED:
            raise PluginError(f'a service cannot be called "{word}"', "the bot means something else by it: rename it")
    return Definition(
        config=config,
        plugin=plugin,
        argument=next(iter(plugin.arguments)),
        title=title,
        words=words,
        role=config.role or usual.role,
        tells_of=usual.tells_of,
        titles=usual.titles,
        endings=usual.endings,
        knows_days=usual.knows_days,
    )


def offered(config: ChatbotConfig) -> Iterator[Offered]:
    """Every service of the configuration: the built-in ones in their order, then those that have a table alone."""
    tables = {service.name: index for index, service in enumerate(config.service)}
    for index, name in enumerate(dict.fromkeys(config.built_in)):
        service = config.service[tables[name]] if name in tables else ChatbotServiceConfig(name=name)
        path: KeyPath = ("chatbot", "service", tables[name]) if name in tables else ("chatbot", "built_in", index)
        yield Offered(service, path, may_be_left_out=service.use in ("", name))
    for index, service in enumerate(config.service):
        if service.name not in config.built_in:
            yield Offered(service, ("chatbot", "service", index), may_be_left_out=False)


def definitions(config: ChatbotConfig, supplied: Collection[type]) -> Sequence[Definition]:
    """The services that are there. Raises :class:`PluginError` for what ``parley check`` would have refused."""
    found = []
    for one in offered(config):
        definition = define(one.config)
        definition.check(supplied, may_lack=one.may_be_left_out)
        if not definition.missing(supplied):
            found.append(definition)
    return found
