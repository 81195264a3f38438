"""The channel variables FreeSWITCH sets at each step of a SIP call: they fill most of an event's headers.

Each function gives the variables of one step, in the order in which a real switch lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.demo.core import ADDRESS, microseconds
from daemon.demo.event import Value
from daemon.demo.profile import CallerProfile

PROFILE = "external"
PROFILE_PORT = 5080
PROFILE_URL = f"sip:mod_sofia@{ADDRESS}:{PROFILE_PORT}"
CODECS = "CORE_PCM_MODULE.PCMU@8000h@20i@64000b,CORE_PCM_MODULE.PCMA@8000h@20i@64000b"


class Variables(dict[str, Value]):
    """A channel's variables in the order they were last set: the switch deletes one before it sets it again."""

    def __setitem__(self, name: str, value: Value) -> None:
        self.pop(name, None)
        super().__setitem__(name, value)

    def put(self, values: Mapping[str, Value]) -> None:
        """Set several, in their order."""
        for name, value in values.items():
            self[name] = value

    def drop(self, *names: str) -> None:
        """Unset those that are set."""
        for name in names:
            self.pop(name, None)


@dataclass(frozen=True)
class Endpoint:
    """The SIP side of a channel. ``serial`` is the session's number: ids and ports derive from it."""

    serial: int
    user: str
    display: str
    to_user: str
    port: int = 5091

    @property
    def uri(self) -> str:
        """The far end's address."""
        return f"{self.user}@{ADDRESS}:{self.port}"

    @property
    def tag(self) -> str:
        """The far end's SIP tag."""
        return f"{4000 + self.serial}t1"

    @property
    def our_tag(self) -> str:
        """The switch's SIP tag, made when it answers."""
        return f"{self.serial * 2_654_435_761 % 2**52:013X}"

    @property
    def media_port(self) -> int:
        """The switch's RTP port."""
        return 16_384 + self.serial * 2 % 16_000

    @property
    def call_id(self) -> str:
        """The SIP dialog."""
        return f"{self.serial}-{4000 + self.serial}@{ADDRESS}"


def invited(profile: CallerProfile, endpoint: Endpoint) -> dict[str, Value]:
    """An INVITE came in."""
    our_uri = f"{endpoint.to_user}@{ADDRESS}:{PROFILE_PORT}"
    display = f'"{endpoint.display}" ' if endpoint.display else ""
    return {
        "direction": "inbound",
        "uuid": profile.uuid,
        "call_uuid": profile.uuid,
        "session_id": str(endpoint.serial),
        **_sip_address("from", endpoint.user, endpoint.port),
        "video_media_flow": "disabled",
        "audio_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": profile.channel_name,
        "sip_call_id": endpoint.call_id,
        "sip_local_network_addr": ADDRESS,
        "sip_network_ip": ADDRESS,
        "sip_network_port": str(endpoint.port),
        "sip_invite_stamp": microseconds(profile.times.created),
        "sip_received_ip": ADDRESS,
        "sip_received_port": str(endpoint.port),
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": endpoint.user,
        "sip_from_tag": endpoint.tag,
        "sofia_profile_name": PROFILE,
        "sofia_profile_url": PROFILE_URL,
        "recovery_profile_name": PROFILE,
        "sip_full_via": _via(endpoint, "0"),
        "sip_from_display": endpoint.display,
        "sip_full_from": f"{display}<sip:{endpoint.uri}>;tag={endpoint.tag}",
        "sip_full_to": f"<sip:{our_uri}>",
        **_sip_address("req", endpoint.to_user, PROFILE_PORT),
        **_sip_address("to", endpoint.to_user, PROFILE_PORT),
        **_sip_address("contact", endpoint.user, endpoint.port),
        "rtp_use_codec_string": "PCMU,PCMA",
        "sip_user_agent": "demo-phone",
        "sip_via_host": ADDRESS,
        "sip_via_port": str(endpoint.port),
        "max_forwards": "70",
        "switch_r_sdp": _sdp("user1", 16_500, "0 8 101"),
        "ep_codec_string": CODECS,
        "endpoint_disposition": "DELAYED NEGOTIATION",
    }


def originated(profile: CallerProfile, endpoint: Endpoint, originator: str, forwards: int) -> dict[str, Value]:
    """An outbound leg was placed; ``originator`` is the a-leg's id, ``""`` when a command placed it."""
    return {
        "direction": "outbound",
        "is_outbound": "true",
        "uuid": profile.uuid,
        "session_id": str(endpoint.serial),
        "sip_profile_name": PROFILE,
        "video_media_flow": "disabled",
        "audio_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": profile.channel_name,
        "sip_destination_url": f"sip:{endpoint.uri}",
        "max_forwards": str(forwards),
        "originator_codec": "PCMU@8000h@20i" if originator else "",
        "originator": originator,
        "signal_bond": originator,
        "switch_m_sdp": _sdp("user1", 16_500, "0 8 101") if originator else "",
        "call_uuid": originator or profile.uuid,
        "originate_early_media": "true",
        "originating_leg_uuid": originator,
        "originate_endpoint": "sofia",
        "rtp_use_codec_string": "PCMU,PCMA",
    }


def negotiated(endpoint: Endpoint) -> dict[str, Value]:
    """Media was agreed on (early media or the answer)."""
    return {
        "rtp_use_codec_string": "PCMU,PCMA",
        "remote_video_media_flow": "inactive",
        "remote_text_media_flow": "inactive",
        "remote_audio_media_flow": "sendrecv",
        "audio_media_flow": "sendrecv",
        "rtp_audio_recv_pt": "0",
        "rtp_use_codec_name": "PCMU",
        "rtp_use_codec_rate": "8000",
        "rtp_use_codec_ptime": "20",
        "rtp_use_codec_channels": "1",
        "rtp_last_audio_codec_string": "PCMU@8000h@20i@1c",
        "read_codec": "PCMU",
        "original_read_codec": "PCMU",
        "read_rate": "8000",
        "original_read_rate": "8000",
        "write_codec": "PCMU",
        "write_rate": "8000",
        "dtmf_type": "rfc2833",
        "local_media_ip": ADDRESS,
        "local_media_port": str(endpoint.media_port),
        "advertised_media_ip": ADDRESS,
        "rtp_use_timer_name": "soft",
        "rtp_use_pt": "0",
        "rtp_use_ssrc": str(3_205_141_000 + endpoint.serial),
        "rtp_2833_send_payload": "101",
        "rtp_2833_recv_payload": "101",
        "remote_media_ip": ADDRESS,
        "remote_media_port": "16500",
        "endpoint_disposition": "EARLY MEDIA",
    }


def described(endpoint: Endpoint) -> dict[str, Value]:
    """The switch wrote its SDP: just before CHANNEL_ANSWER."""
    return {"rtp_local_sdp_str": _sdp("FreeSWITCH", endpoint.media_port, "0 101") + "a=sendrecv\r\n"}


def confirmed(endpoint: Endpoint) -> dict[str, Value]:
    """The far end acknowledged the answer."""
    our_uri = f"{endpoint.to_user}@{ADDRESS}:{PROFILE_PORT}"
    display = f'"{endpoint.display}" ' if endpoint.display else ""
    return {
        "sip_to_tag": endpoint.our_tag,
        "sip_from_tag": endpoint.tag,
        "sip_cseq": "1",
        "sip_call_id": endpoint.call_id,
        "sip_full_via": _via(endpoint, "8"),
        "sip_from_display": endpoint.display,
        "sip_full_from": f"{display}<sip:{endpoint.uri}>;tag={endpoint.tag}",
        "sip_full_to": f"<sip:{our_uri}>;tag={endpoint.our_tag}",
    }


def joined(other_uuid: str, other_name: str) -> dict[str, Value]:
    """The channel was bridged to the one of that id and name."""
    return {
        "bridge_to": other_uuid,
        "last_bridge_to": other_uuid,
        "bridge_channel": other_name,
        "bridge_uuid": other_uuid,
        "signal_bond": other_uuid,
    }


def reached(leg_uuid: str, callee_name: str, callee_number: str) -> dict[str, Value]:
    """What dialling out came to, on the channel that dialled."""
    return {
        "originated_legs": f"{leg_uuid};{callee_name};{callee_number}",
        "originate_disposition": "SUCCESS",
        "DIALSTATUS": "SUCCESS",
        "originate_causes": f"{leg_uuid};NONE",
    }


def _sip_address(which: str, user: str, port: int) -> dict[str, Value]:
    return {
        f"sip_{which}_user": user,
        f"sip_{which}_port": str(port),
        f"sip_{which}_uri": f"{user}@{ADDRESS}:{port}",
        f"sip_{which}_host": ADDRESS,
    }


def _via(endpoint: Endpoint, branch: str) -> str:
    branch = f"z9hG4bK-{4000 + endpoint.serial}-{endpoint.serial}-{branch}"
    return f"SIP/2.0/UDP {ADDRESS}:{endpoint.port};branch={branch}"


def _sdp(owner: str, port: int, payloads: str) -> str:
    lines = ["v=0", f"o={owner} 53655765 2353687637 IN IP4 {ADDRESS}", "s=-", f"c=IN IP4 {ADDRESS}", "t=0 0"]
    lines += [f"m=audio {port} RTP/AVP {payloads}", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000"]
    lines += ["a=fmtp:101 0-15", "a=ptime:20", ""]
    return "\r\n".join(lines)
