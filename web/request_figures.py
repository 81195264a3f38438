"""What is counted of requests, under the names that are scraped already.

Counted in plain numbers, on the loop alone: a locked object for each figure would take as long as much of what is
counted here. They become families of the library's when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

import msgspec
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BUCKETS: Final = (*(str(bound) for bound in _BOUNDS), "+Inf")


class _Requests(msgspec.Struct, gc=False):
    """Those of one route and method whose statuses begin alike. ``durations`` has one number for each bucket."""

    answered: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    seconds: float = 0.0
    durations: list[int] = msgspec.field(default_factory=lambda: [0] * len(_BUCKETS))


class RequestFigures(Collector):
    """Of all listeners together."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], _Requests] = {}

    def count(
        self, handler: str, method: str, status: int, *, request_size: int, response_size: int, took: float | None
    ) -> None:
        """Count a request of the route ``handler`` that is answered with ``status`` after ``took`` seconds. Sizes are
        those of bodies, in bytes."""
        key = (handler, method, status // 100)
        requests = self._requests.get(key)
        if requests is None:
            requests = self._requests[key] = _Requests()
        requests.answered += 1
        requests.request_bytes += request_size
        requests.response_bytes += response_size
        if took is not None:
            requests.seconds += took
            requests.durations[bisect_left(_BOUNDS, took)] += 1

    def describe(self) -> Iterable[Metric]:
        """Nothing: labels come with requests."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        answered = CounterMetricFamily(
            "http_requests",
            "Requests answered, by route, method and class of status.",
            labels=("handler", "method", "status"),
        )
        for (handler, method, status), requests in self._requests.items():
            answered.add_metric((handler, method, f"{status}xx"), requests.answered)
        yield answered
        yield from self._sizes()
        yield self._durations()

    def _sizes(self) -> Iterator[Metric]:
        request_size = SummaryMetricFamily("http_request_size_bytes", "Bytes of request bodies.", labels=("handler",))
        response_size = SummaryMetricFamily(
            "http_response_size_bytes", "Bytes of response bodies.", labels=("handler",)
        )
        for handler in dict.fromkeys(handler for handler, _, _ in self._requests):
            of_it = [requests for key, requests in self._requests.items() if key[0] == handler]
            count = sum(one.answered for one in of_it)
            request_size.add_metric((handler,), count, sum(one.request_bytes for one in of_it))
            response_size.add_metric((handler,), count, sum(one.response_bytes for one in of_it))
        yield request_size
        yield response_size

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "http_request_duration_seconds",
            "From the request to the beginning of its response, in seconds.",
            labels=("handler", "method"),
        )
        for labels in dict.fromkeys(key[:2] for key in self._requests):
            of_it = [requests for key, requests in self._requests.items() if key[:2] == labels]
            counts = accumulate(map(sum, zip(*(one.durations for one in of_it), strict=True)))
            buckets = [(bound, float(count)) for bound, count in zip(_BUCKETS, counts, strict=True)]
            family.add_metric(labels, buckets, sum(one.seconds for one in of_it))
        return family
