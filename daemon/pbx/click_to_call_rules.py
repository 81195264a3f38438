"""Which click-to-calls may be placed, and with which channel variables."""

from __future__ import annotations

import re
from typing import Final

from daemon.config import ClickToCallConfig
from daemon.pbx.contract import ClickToCallRequest, UsageError
from daemon.pbx.tenants import Tenant, Tenants
from protocols.dcmiws.actions import check_supplied
from protocols.dcmiws.diversions import is_extension, is_number
from protocols.errors import LocalError

MARK: Final = "PARLEY_C2C"
"""The channel variable by which a call is known that the vendor's REST placed."""

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CallRules:
    """The configuration's rules. A caller's phone rings too: it is an extension, or held against the same numbers."""

    def __init__(self, config: ClickToCallConfig, tenants: Tenants) -> None:
        self._tenants = tenants
        self._allowed = [re.compile(pattern) for pattern in config.allowed]
        self._refused = [re.compile(pattern) for pattern in config.refused]

    def check(self, request: ClickToCallRequest) -> Tenant:
        """The tenant of a request that may be sent. Raises :class:`UsageError` for any other."""
        for what, text in (("the caller", request.caller), ("the callee", request.callee)):
            try:
                check_supplied(what, text)
            except LocalError as error:
                raise UsageError(str(error)) from error
        if not is_extension(request.caller):
            raise UsageError("the caller is an extension: 1 to 40 letters, digits, *, #, - and _")
        if not is_number(request.callee):
            raise UsageError("for the callee give a number: digits, *, # and a leading +")
        tenant = self._tenants.of(request.caller, request.tenant)
        if not tenant.names_extensions and not self._may_ring(request.caller):
            raise UsageError(
                f"the caller may not be called from here: list the extensions of the tenant {tenant.name} "
                "as `extensions` in its [[pbx.tenant]]"
            )
        if not self._may_ring(request.callee):
            raise UsageError("that number may not be called from here")
        for name in request.variables:
            if not _PLAIN_NAME.fullmatch(name):
                raise UsageError(f"{name[:40]!r} is no plain name of a variable: letters, digits and _")
            if name.lstrip("_") == MARK:  # Asterisk reads leading underscores as how far it is inherited
                raise UsageError(f"the variable {MARK} is Parley's own")
        return tenant

    def _may_ring(self, number: str) -> bool:
        if any(pattern.fullmatch(number) for pattern in self._refused):
            return False
        return not self._allowed or any(pattern.fullmatch(number) for pattern in self._allowed)


def call_variables(click_to_call_id: str, request: ClickToCallRequest, tenant: Tenant) -> dict[str, str]:
    """Those of the tenant, those of a request that was checked, and the one by which the call is known."""
    variables = {"EXEC_AA": "yes"}
    if tenant.config.language:
        variables["CHANNEL(language)"] = tenant.config.language
    if tenant.config.account_code:
        variables["CHANNEL(accountcode)"] = tenant.config.account_code
    return variables | dict(request.variables) | {MARK: click_to_call_id}
