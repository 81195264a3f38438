"""The vendor's REST click-to-call: one POST, whose answer says no more than that it was taken.

Its answer is not documented: any 2xx counts as taken, and only 3xx and 4xx say that it was not: what answers 5xx may
be a proxy whose server behind it goes on.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp
import msgspec

from daemon.config import ClickToCallConfig
from daemon.pbx.contract import PbxRefused, PbxTimeout, PbxUnavailable


class VendorRest:
    """Posts to ``rest_url``."""

    def __init__(self, config: ClickToCallConfig) -> None:
        self._config = config

    async def place(self, body: Mapping[str, object], *, tenant_id: str, app_key: str) -> None:
        """Have a call placed. Every value of ``body`` is a text, but ``variables``, an object of texts.

        Raises :class:`PbxUnavailable` (``sent`` says whether it may have been taken), :class:`PbxTimeout` and
        :class:`PbxRefused`.
        """
        try:
            tls = self._tls()
        except OSError as error:
            raise PbxUnavailable(f"rest_ca_file cannot be read ({type(error).__name__})") from error
        # Connecting has a time of its own, before which nothing was sent.
        connecting = aiohttp.ClientTimeout(connect=self._config.rest_timeout / 2)
        # Header values go out as UTF-8 bytes: the vendor's own example of a key is Hangul.
        headers = {"tenant": tenant_id, "app-key": app_key, "Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(self._config.rest_timeout),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=tls, force_close=True), timeout=connecting
                ) as session,
                session.post(
                    self._config.rest_url, data=msgspec.json.encode(body), headers=headers, allow_redirects=False
                ) as response,
            ):
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise PbxUnavailable(f"the vendor's REST cannot be reached ({type(error).__name__})") from error
        except aiohttp.ClientError as error:
            text = f"the vendor's REST broke off ({type(error).__name__})"
            raise PbxUnavailable(text, sent=True) from error
        except TimeoutError as error:
            raise PbxTimeout(f"the vendor's REST did not answer within {self._config.rest_timeout:g} s") from error
        if status >= 500:
            raise PbxUnavailable(f"the vendor's REST failed: HTTP {status}", sent=True)
        if not 200 <= status < 300:
            raise PbxRefused(f"the vendor's REST refused the call: HTTP {status}")

    def _tls(self) -> ssl.SSLContext | bool:
        if not self._config.rest_ca_file:
            return True
        context = ssl.create_default_context()
        context.load_verify_locations(self._config.rest_ca_file)
        return context
