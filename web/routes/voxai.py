"""What a Vox.ai agent asks while a call lasts: who is calling, and the tools.

An agent speaks about whatever a 200 carries and about nothing else, so that is the status of everything it should tell
the caller, a tool that failed included. Another status is for whoever configures it.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.tools.room import Tools
from daemon.tools.tool import Outcome, ToolAnswer
from protocols.webhooks.voxai_inbound import read_inbound
from web.auth import Needs
from web.endpoint import JSON, Answer, Asked, Endpoint
from web.providers import Providers, TooFastError
from web.voxai_payloads import CallerPayload, ExcusePayload, InboundPayload, ToolPayload, ToolsPayload

SOURCE: Final = "voxai"

_TOOL_NAME: Final = {"tool_name": "The tool's configured name."}
_TOOL_ANSWERS: Final = (
    Answer(200, "The tool's JSON object; `error` and `details` where there is none.", {JSON: None}),
    Answer(405, "The tool changes something and was asked by GET.", {JSON: ExcusePayload}),
)


class VoxaiRoutes:
    """All that is asked within a call."""

    def __init__(self, tools: Tools, providers: Providers) -> None:
        self._tools = tools
        self._providers = providers

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/v1/tools",
                tag="voxai",
                summary="The tools there are, with their schemas",
                handler=self.list_tools,
                group="public",
                needs=Needs.SOURCE,
                answers=(Answer(200, "As they are entered at Vox.ai.", {JSON: ToolsPayload}),),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/tools/{tool_name}",
                tag="voxai",
                summary="Ask a tool",
                description="The body is the JSON object of arguments.",
                handler=self.post_tool,
                group="public",
                needs=Needs.SOURCE,
                path_parameters=_TOOL_NAME,
                answers=_TOOL_ANSWERS[:1],
            ),
            Endpoint(
                method="GET",
                path="/api/v1/tools/{tool_name}",
                tag="voxai",
                summary="Ask a tool that changes nothing",
                description="The query is the arguments.",
                handler=self.get_tool,
                group="public",
                needs=Needs.SOURCE,
                head=False,
                path_parameters=_TOOL_NAME,
                answers=_TOOL_ANSWERS,
            ),
            Endpoint(
                method="POST",
                path="/api/v1/inbound",
                tag="voxai",
                summary="Who is calling",
                description="Always answered, with the configured default where nothing is known in time.",
                handler=self.inbound,
                group="public",
                needs=Needs.SOURCE,
                answers=(Answer(200, "What the agent is told.", {JSON: InboundPayload}),),
            ),
        ]

    async def list_tools(self, asked: Asked[None, None]) -> ToolsPayload:
        """Their names, descriptions and arguments."""
        await self._providers.admit(asked.request, SOURCE)
        return ToolsPayload(
            [
                ToolPayload(
                    name=tool.name,
                    description=tool.definition.plugin.description,
                    methods=["POST"] if tool.definition.acting else ["GET", "POST"],
                    parameters=tool.definition.arguments.schema,
                )
                for tool in self._tools.all
            ]
        )

    async def post_tool(self, asked: Asked[None, None]) -> web.Response:
        """What it says to the body."""
        body = await self._providers.admit(asked.request, SOURCE)
        return _response(await self._tools.ask(asked.path("tool_name"), body))

    async def get_tool(self, asked: Asked[None, None]) -> web.Response:
        """What it says to the query."""
        await self._providers.admit(asked.request, SOURCE)
        return _response(await self._tools.ask(asked.path("tool_name"), self._providers.query(asked.request, SOURCE)))

    async def inbound(self, asked: Asked[None, None]) -> InboundPayload:
        """What is known of the caller."""
        try:
            body = await self._providers.admit(asked.request, SOURCE)
        except TooFastError:
            # Somebody is on the telephone all the same.
            known = self._tools.inbound.turned_away()
        else:
            known = await self._tools.inbound.answer(*read_inbound(body))
        return InboundPayload(CallerPayload(known.dynamic_variables, known.metadata))


def _response(answer: ToolAnswer) -> web.Response:
    if answer.outcome is Outcome.POST_ONLY:
        return web.Response(status=405, body=answer.body, content_type=JSON, headers={"Allow": "POST"})
    return web.Response(body=answer.body, content_type=JSON)
