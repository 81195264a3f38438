"""Figures for Prometheus: HTTP under the names that are scraped already, and Parley's own.

Labels are bounded: a handler is its route's template (``none`` for paths that lead nowhere), a method one of the
known ones. Parley's own figures are read from their rooms at each scrape.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.callapps.outgoing_service import OutgoingCalls
from daemon.callapps.room import CallApps
from daemon.calls.call import CallState
from daemon.calls.links import LinkStatus
from daemon.calls.registry import Registry
from daemon.health import Condition, Health, Report
from daemon.hub import Hub
from daemon.inbox.room import InboxRoom
from daemon.tools.room import Tools
from daemon.tools.tool import Outcome
from daemon.transcripts.utterance import Speaker, Utterance
from web.live import Live
from web.request_figures import RequestFigures

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STARTED: Final = web.RequestKey("started", float)
_NOT_A_NAME: Final = re.compile(r"[^a-zA-Z0-9]+")


class OwnProcess(ProcessCollector):
    """The library's figures of this process, also where ``/proc`` shows processes and nothing else (the unit's
    ``ProcSubset=pid``): there it would not know when the system was started and say nothing at all."""

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class Metrics:
    """Everything that is counted, in a registry of its own."""

    def __init__(
        self,
        *,
        hub: Hub,
        registry: Registry,
        health: Health,
        links: Callable[[], list[LinkStatus]],
        live: Live,
        callapps: CallApps | None,
        outgoing: OutgoingCalls | None,
        tools: Tools,
        inbox: InboxRoom,
        version: str,
        clock: Callable[[], float],
    ) -> None:
        self._collectors = CollectorRegistry()
        OwnProcess(registry=self._collectors)
        self._collectors.register(
            _ParleyCollector(
                hub=hub,
                registry=registry,
                health=health,
                links=links,
                live=live,
                callapps=callapps,
                outgoing=outgoing,
                tools=tools,
                inbox=inbox,
                version=version,
                clock=clock,
            )
        )
        self.requests = RequestFigures()
        self._collectors.register(self.requests)

    def add_to(self, app: web.Application) -> None:
        """Count what ``app`` answers."""
        app.middlewares.append(_note_start)
        app.on_response_prepare.append(self._answered)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._collectors)

    async def _answered(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        handler = "none" if resource is None else resource.canonical
        started = request.get(_STARTED)
        self.requests.count(
            handler,
            request.method if request.method in _METHODS else "other",
            response.status,
            request_size=request.content_length or 0,
            response_size=response.content_length or 0,
            took=None if started is None else time.perf_counter() - started,
        )


@web.middleware
async def _note_start(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[_STARTED] = time.perf_counter()
    return await handler(request)


class _ParleyCollector(Collector):
    """Reads the rooms' own figures when asked."""

    def __init__(
        self,
        *,
        hub: Hub,
        registry: Registry,
        health: Health,
        links: Callable[[], list[LinkStatus]],
        live: Live,
        callapps: CallApps | None,
        outgoing: OutgoingCalls | None,
        tools: Tools,
        inbox: InboxRoom,
        version: str,
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._health = health
        self._links = links
        self._live = live
        self._callapps = callapps
        self._outgoing = outgoing
        self._tools = tools
        self._inbox = inbox
        self._version = version
        self._clock = clock
        self._finals = dict.fromkeys(Speaker, 0)
        self._interims = 0
        hub.tap((Utterance,), self._said)

    def _said(self, utterance: Utterance) -> None:
        if utterance.final:
            self._finals[utterance.speaker] += 1
        else:
            self._interims += 1

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the rooms, and asking them is for scrapes."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        yield InfoMetricFamily("parley_build", "What is running.", {"version": self._version})
        yield from self._collect_calls()
        yield from self._collect_live()
        yield from self._collect_apps()
        yield from self._collect_tools()
        yield from self._collect_inbox()
        yield from self._collect_links()
        yield from self._collect_health()

    def _collect_calls(self) -> Iterator[Metric]:
        calls = GaugeMetricFamily("parley_calls", "Calls in memory, by state.", labels=("state",))
        counts = dict.fromkeys(CallState, 0)
        for call in self._registry.calls():
            counts[call.state] += 1
        for state, count in counts.items():
            calls.add_metric((state.value,), count)
        yield calls
        live = sum(count for state, count in counts.items() if state is not CallState.ENDED)
        yield GaugeMetricFamily("parley_calls_live", "Calls that have not ended.", live)
        finals = CounterMetricFamily("parley_utterances", "Utterances that became final.", labels=("speaker",))
        for speaker, count in self._finals.items():
            finals.add_metric((speaker.value,), count)
        yield finals
        yield CounterMetricFamily("parley_interims", "Interim utterances heard.", self._interims)

    def _collect_live(self) -> Iterator[Metric]:
        counts = self._live.counts
        yield GaugeMetricFamily("parley_live_clients", "Browsers connected to the live view.", self._live.clients)
        yield CounterMetricFamily("parley_live_deliveries", "Events handed to browsers.", counts.deliveries)
        yield CounterMetricFamily(
            "parley_live_interims_dropped", "Interims not sent to a slow browser.", counts.interims_dropped
        )
        yield CounterMetricFamily(
            "parley_live_clients_cut_off", "Browsers cut off because they did not read.", counts.cut_off
        )

    def _collect_apps(self) -> Iterator[Metric]:
        if self._callapps is not None:
            yield from _apps(self._callapps)
        if self._outgoing is not None:
            yield from _placed(self._outgoing)

    def _collect_tools(self) -> Iterator[Metric]:
        """Labelled by configured names alone: what else is asked for has none."""
        asked = CounterMetricFamily(
            "parley_tool_calls", "Times a tool was asked, by how that ended.", labels=("tool", "outcome")
        )
        for tool in self._tools.all:
            for outcome, count in tool.counts.items():
                asked.add_metric((tool.name, outcome.value), count)
        asked.add_metric(("", Outcome.UNKNOWN.value), self._tools.unknown)
        yield asked
        looked_up = CounterMetricFamily(
            "parley_inbound_lookups", "Times it was asked who calls, by how that ended.", labels=("outcome",)
        )
        for outcome, count in self._tools.inbound.counts.items():
            looked_up.add_metric((outcome.value,), count)
        yield looked_up

    def _collect_inbox(self) -> Iterator[Metric]:
        """Labelled by configured sources alone: others are ``others``."""
        counters = {
            name: CounterMetricFamily(f"parley_inbox_{name}", text, labels=("source",))
            for name, text in (
                ("accepted", "Deliveries that were stored."),
                ("doubles", "Deliveries that were there already."),
                ("attempts", "Runs of handlers."),
                ("died", "Deliveries that died."),
            )
        }
        refused = CounterMetricFamily(
            "parley_inbox_refused", "Deliveries that were not taken.", labels=("source", "reason")
        )
        stored = GaugeMetricFamily(
            "parley_inbox_deliveries", "Deliveries in the store that are not done.", labels=("source", "state")
        )
        oldest = GaugeMetricFamily(
            "parley_inbox_oldest_pending_seconds", "Age of the oldest pending delivery.", labels=("source",)
        )
        now = self._clock()
        for source, counted in self._inbox.counts.by_source().items():
            for name, family in counters.items():
                family.add_metric((source,), getattr(counted, name))
            for reason, count in counted.refused.items():
                refused.add_metric((source, reason), count)
            for state in ("pending", "working", "dead", "cancelled"):
                stored.add_metric((source, state), getattr(counted, state))
            since = counted.oldest_pending_at
            oldest.add_metric((source,), 0.0 if since is None else max(0.0, now - since))
        lost = CounterMetricFamily("parley_inbox_own_events_lost", "Events of Parley's own that were never stored.")
        lost.add_metric((), self._inbox.counts.own_lost)
        yield from (*counters.values(), refused, stored, oldest, lost)

    def _collect_links(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("parley_link_up", "Whether a link is up, be its other side slow.", labels=("link",))
        age = GaugeMetricFamily(
            "parley_link_last_event_age_seconds", "Seconds since the other side was heard of.", labels=("link",)
        )
        now = self._clock()
        for link in self._links():
            up.add_metric((link.link,), link.state.is_up)
            if link.last_event_at is not None:
                age.add_metric((link.link,), max(0.0, now - link.last_event_at))
        yield up
        yield age

    def _collect_health(self) -> Iterator[Metric]:
        report = self._health.report()
        well = GaugeMetricFamily("parley_part_condition", "0 a part is down, 0.5 degraded, 1 well.", labels=("part",))
        worth = {Condition.OK: 1.0, Condition.DEGRADED: 0.5, Condition.DOWN: 0.0}
        for name, part in report.parts.items():
            well.add_metric((name,), worth[part.condition])
        yield well
        yield from _figures(report)


def _figures(report: Report) -> Iterable[Metric]:
    """The parts' own figures. Of a part ``switch:main`` the kind is in the name and ``main`` is a label."""
    families: dict[str, GaugeMetricFamily] = {}
    for part_name, part in report.parts.items():
        kind, _, which = part_name.partition(":")
        for figure, value in part.numbers.items():
            name = _metric_name(kind, figure)
            family = families.get(name)
            if family is None:
                text = f"The figure {figure} of {kind}."
                family = families[name] = GaugeMetricFamily(name, text, labels=("name",) if which else ())
            family.add_metric((which,) if which else (), value)
    return families.values()


def _metric_name(*words: str) -> str:
    return "_".join(("parley", *(_NOT_A_NAME.sub("_", word).strip("_").lower() for word in words)))


def _apps(callapps: CallApps) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "parley_app_calls", "Calls that apps led, by why they lead them no more.", labels=("app", "ending")
    )
    for (app, ending), count in callapps.endings.items():
        ended.add_metric((app, ending.value), count)
    yield ended
    yield GaugeMetricFamily("parley_app_calls_live", "Calls that have an app.", len(callapps.live))


def _placed(outgoing: OutgoingCalls) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "parley_outgoing_calls", "Calls that were placed into apps, by what came of them.", labels=("state",)
    )
    for state, count in outgoing.ended.items():
        ended.add_metric((state.value,), count)
    yield ended
    yield GaugeMetricFamily("parley_outgoing_calls_live", "Placed calls that are not over.", outgoing.under_way)
