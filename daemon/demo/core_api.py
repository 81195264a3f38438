"""The api commands that concern no channel, but the switch itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from daemon.demo.core import HOSTNAME, MAX_SESSIONS, MAX_SESSIONS_PER_SECOND, VERSION, Core, local_stamp


async def core_api(core: Core, name: str, args: str) -> str:
    """The whole output of one command; an unknown one is answered as the switch does."""
    api = TABLE.get(name.lower())
    if api is None:
        return f"-ERR {name} Command not found!\n"
    output = api(core, args.strip())
    return await output if inspect.isawaitable(output) else output


def status(core: Core, args: str) -> str:
    """``status``"""
    return (
        f"UP {core.uptime()}\nFreeSWITCH (Version {VERSION}  64bit) is ready\n"
        f"{core.sessions} session(s) since startup\n"
        f"{len(core.channels)} session(s) - peak {core.peak}, last 5min {core.peak} \n"
        f"0 session(s) per Sec out of max {MAX_SESSIONS_PER_SECOND}, peak {core.peak}, last 5min {core.peak} \n"
        f"{MAX_SESSIONS} session(s) max\nmin idle cpu 0.00/97.50\nCurrent Stack Size/Max 240K/240K\n"
    )


def global_getvar(core: Core, args: str) -> str:
    """``global_getvar [NAME]``: one, or all, a line each."""
    if args:
        return core.globals.get(args, "")
    return "".join(f"{name}={value}\n" for name, value in core.globals.items())


async def msleep(core: Core, args: str) -> str:
    """``msleep MILLISECONDS``: blocks whoever asked."""
    await asyncio.sleep(int(args or 0) / 1000 / core.speed)
    return "+OK"


TABLE: dict[str, Callable[[Core, str], str | Awaitable[str]]] = {
    "create_uuid": lambda core, args: core.new_id(),
    "echo": lambda core, args: args,
    "global_getvar": global_getvar,
    "hostname": lambda core, args: HOSTNAME,
    "msleep": msleep,
    "status": status,
    "strftime": lambda core, args: local_stamp(core.clock()),
    "version": lambda core, args: f"FreeSWITCH Version {VERSION}~64bit ( 64bit)\n",
}
