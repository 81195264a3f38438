"""The searchable directory."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.config.values import Name, Positive


class ElasticsearchConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[directory.elasticsearch]``: an Elasticsearch of version 8 or newer that looks for entries. Its secrets are
    ``elasticsearch-password`` where a ``user`` is named, else ``elasticsearch-api-key`` where there is one."""

    urls: list[str] = msgspec.field(default_factory=list)
    """Addresses of nodes of one cluster; empty: Parley's own engine is all there is."""
    index: Name = "parley-directory"
    """The alias of the index, whose own name begins like this."""
    user: str = ""
    ca_file: str = ""
    """A PEM file of authorities that are trusted beside the system's; empty: none."""
    timeout: Positive = 1.0
    """A search that takes longer is answered by Parley's own engine."""
    write_timeout: Positive = 30.0


class DirectoryConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[directory]``: services, people and teams, found by what somebody says."""

    synonyms: str = ""
    """A file of synonyms in Solr's syntax; empty: none."""
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """What scores less counts as not found, unless who searches says otherwise."""
    refresh_interval: Positive = 5.0
    """How often the store is asked whether entries have changed."""
    elasticsearch: ElasticsearchConfig = msgspec.field(default_factory=ElasticsearchConfig)
