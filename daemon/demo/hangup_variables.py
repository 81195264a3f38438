"""The channel variables that the end of a call sets: its cause, who ended it, how long everything took."""

from __future__ import annotations

import math

from daemon.demo.core import local_stamp, microseconds
from daemon.demo.event import Value
from daemon.demo.profile import CallerProfile, ChannelTimes

# hangup cause → its Q.850 number
Q850 = {
    "NONE": 0,
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "ORIGINATOR_CANCEL": 487,
    "LOSE_RACE": 502,
    "MANAGER_REQUEST": 503,
    "ATTENDED_TRANSFER": 600,
    "SYSTEM_SHUTDOWN": 607,
}


def terminated(cause: str, *, answered: bool) -> dict[str, Value]:
    """The far end ended the dialog: by BYE, or by CANCEL where it was not answered."""
    status = "200" if answered else "487"
    return {
        "sip_term_status": status,
        "proto_specific_hangup_cause": f"sip:{status}",
        "sip_term_cause": str(Q850.get(cause, 31)),
    }


def reported(profile: CallerProfile, cause: str, digits: str, last_app: str, last_arg: str) -> dict[str, Value]:
    """What CHANNEL_HANGUP_COMPLETE adds: how long everything took, in seconds, milliseconds and microseconds."""
    times = profile.times
    name = f'"{profile.name}" ' if profile.name else ""
    return {
        "hangup_cause": cause,
        "hangup_cause_q850": str(Q850.get(cause, 31)),
        "digits_dialed": digits or "none",
        **_stamps(times),
        **_epochs(times),
        "last_app": last_app,
        "last_arg": last_arg,
        "caller_id": f"{name}<{profile.number}>",
        **_durations(times),
    }


def media_report(talked: float) -> dict[str, Value]:
    """The RTP counters of a leg that had media for ``talked`` seconds, and how its dialog ended."""
    packets = max(0, math.floor(talked * 50))
    incoming = ["skip", "jitter", "dtmf", "cng", "flush"]
    quality = ["jitter_min_variance", "jitter_max_variance", "jitter_loss_rate", "jitter_burst_rate", "mean_interval"]
    return {
        "rtp_audio_in_raw_bytes": str(packets * 172),
        "rtp_audio_in_media_bytes": str(packets * 172),
        "rtp_audio_in_packet_count": str(packets),
        "rtp_audio_in_media_packet_count": str(packets),
        **{f"rtp_audio_in_{kind}_packet_count": "0" for kind in incoming},
        "rtp_audio_in_largest_jb_size": "0",
        **{f"rtp_audio_in_{kind}": "0.00" for kind in quality},
        "rtp_audio_in_flaw_total": "0",
        "rtp_audio_in_quality_percentage": "100.00",
        "rtp_audio_in_mos": "4.50",
        "rtp_audio_out_raw_bytes": str(packets * 172),
        "rtp_audio_out_media_bytes": str(packets * 172),
        "rtp_audio_out_packet_count": str(packets),
        "rtp_audio_out_media_packet_count": str(packets),
        "rtp_audio_out_skip_packet_count": "0",
        "rtp_audio_out_dtmf_packet_count": "0",
        "rtp_audio_out_cng_packet_count": "0",
        "rtp_audio_rtcp_packet_count": "0",
        "rtp_audio_rtcp_octet_count": "0",
    }


def _stamps(times: ChannelTimes) -> dict[str, Value]:
    stamps = {
        "start": times.created,
        "profile_start": times.profile_created,
        "answer": times.answered,
        "bridge": times.bridged,
        "hold": times.last_hold,
        "progress": times.progress,
        "progress_media": times.progress_media,
        "end": times.hangup,
    }
    return {f"{name}_stamp": local_stamp(at) if at else "" for name, at in stamps.items()}


def _epochs(times: ChannelTimes) -> dict[str, Value]:
    def both(name: str, at: float) -> dict[str, Value]:
        return {f"{name}_epoch": str(int(at)), f"{name}_uepoch": microseconds(at)}

    return {
        **both("start", times.created),
        **both("profile_start", times.profile_created),
        **both("answer", times.answered),
        **both("bridge", times.bridged),
        **both("last_hold", times.last_hold),
        "hold_accum_seconds": str(int(times.hold_accum)),
        "hold_accum_usec": microseconds(times.hold_accum),
        "hold_accum_ms": str(round(times.hold_accum * 1000)),
        **both("resurrect", times.resurrect),
        **both("progress", times.progress),
        **both("progress_media", times.progress_media),
        **both("end", times.hangup),
    }


def _durations(times: ChannelTimes) -> dict[str, Value]:
    def since(start: float, end: float) -> float:
        return max(0.0, end - start) if start and end else 0.0

    spans = {
        "duration": since(times.created, times.hangup),
        "bill": since(times.answered, times.hangup),
        "progress": since(times.created, times.progress),
        "answer": since(times.created, times.answered),
        "wait": since(times.created, times.bridged),
        "progress_media": since(times.created, times.progress_media),
        "flow_bill": since(times.created, times.hangup),
    }
    result: dict[str, Value] = {}
    for unit, size in (("sec", 1), ("msec", 1000), ("usec", 1_000_000)):
        for name, span in spans.items():
            key = f"{name}{unit}"
            if name == "duration":
                key = {"sec": "duration", "msec": "mduration", "usec": "uduration"}[unit]
            result[key] = str(round(span * size))
    return result
