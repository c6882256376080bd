"""The page that shows people what the fund holds: devices, heads, the fleet, counts. No personal data, no script.

The page is one string; serving it is left to `sync.fund.app`.
"""

from datetime import UTC, datetime
from html import escape

from sync.fund.fleet import Desk, Health, groups, running
from sync.fund.gateway import Overview
from sync.fund.log import LogState
from sync.fund.rows import DeviceSummary

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8886; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code { font-size: .85em; } .bad { color: #c62828; font-weight: 600; } .dim { opacity: .65; }
"""

CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Nothing is loaded and nothing runs, whatever a device is named."""

_DEVICE_COLUMNS = (
    "<th>Device</th><th>Clinic</th><th>Desk</th><th>Key</th>"
    '<th class="n">Head</th><th>Digest</th><th class="n">Forks</th><th class="n">Refused</th>'
    "<th>Last seen (UTC)</th><th>State</th>"
)

_DIGEST_SHOWN = 16
"""Hex digits of a digest on the page: enough to compare by eye, not to prove anything."""


def render(overview: Overview, log: LogState) -> str:
    """The page as HTML; everything that came from outside is escaped."""
    events = sum(overview.kinds.values())
    blocked = sum(1 for device in overview.devices if device.device.blocked is not None)
    rows = "".join(_device(device) for device in overview.devices)
    kinds = "".join(f'<tr><td>{escape(kind)}</td><td class="n">{n}</td></tr>' for kind, n in overview.kinds.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Keldim fund</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>Keldim fund gateway</h1><p>{events} events of {len(overview.devices)} devices, "
        f"{_alarming(blocked)} blocked.</p>"
        f"<p{' class=bad' if log.broken else ''}>Transparency {escape(log.summary)}; "
        f"an accepted event is in it within {log.merge_delay_s} s.</p>"
        f"<h2>Devices</h2><table><thead><tr>{_DEVICE_COLUMNS}</tr></thead>"
        f"<tbody>{rows or _empty(10)}</tbody></table>"
        f"<h2>Fleet</h2><p>{_groups(overview.fleet)}</p>"
        f"<table><thead><tr>{_FLEET_COLUMNS}</tr></thead>"
        f"<tbody>{''.join(map(_desk, overview.fleet)) or _empty(10)}</tbody></table>"
        '<h2>Events by kind</h2><table><thead><tr><th>Kind</th><th class="n">Events</th></tr></thead>'
        f"<tbody>{kinds or _empty(2)}</tbody></table></body></html>"
    )


def _device(summary: DeviceSummary) -> str:
    device = summary.device
    why = f"revoked: {device.revoked}" if device.revoked else f"blocked: {device.blocked}" if device.blocked else None
    state = "open" if why is None else f'<span class="bad">{escape(why)}</span>'
    return (
        f"<tr><td>{escape(device.device)}</td><td>{escape(device.clinic)}</td><td>{escape(device.desk)}</td>"
        f'<td>{escape(device.key_class)}, {escape(device.attested)}</td><td class="n">{summary.head.seq}</td>'
        f"<td><code>{escape(summary.head.digest[:_DIGEST_SHOWN])}</code></td>"
        f'<td class="n">{_alarming(summary.forks)}</td><td class="n">{_alarming(summary.refusals)}</td>'
        f"<td>{_time(summary.last_seen)}</td><td>{state}</td></tr>"
    )


_FLEET_COLUMNS = (
    "<th>Device</th><th>Ring</th><th>Runs</th><th>Pack</th><th>Policy</th><th>Software</th><th>Health</th>"
    '<th>Given up</th><th class="n">Backlog (s)</th><th>Last seen (UTC)</th>'
)

_ALARMING = {Health.CLOSED, Health.SILENT, Health.BEHIND, Health.GAVE_UP}


def _groups(fleet: tuple[Desk, ...]) -> str:
    return "<br>".join(f"Ring {escape(ring)}, {escape(what)}: {n}" for ring, what, n in groups(fleet))


def _desk(desk: Desk) -> str:
    alarm = ' class="bad"' if desk.health in _ALARMING else ""
    backlog = "" if desk.backlog is None else f"{desk.backlog.total_seconds():.0f}"
    return (
        f"<tr><td>{escape(desk.device)}</td><td>{escape(desk.ring)}</td><td>{escape(running(desk))}</td>"
        f"<td><code>{escape(desk.pack[:_DIGEST_SHOWN])}</code></td><td><code>{escape(desk.policy)}</code></td>"
        f"<td>{escape(desk.software)}</td><td><span{alarm}>{escape(desk.health.replace('_', ' '))}</span></td>"
        f'<td>{escape(", ".join(desk.given_up))}</td><td class="n">{backlog}</td><td>{_time(desk.last_seen)}</td></tr>'
    )


def _alarming(count: int) -> str:
    return f'<span class="bad">{count}</span>' if count else "0"


def _time(instant: datetime | None) -> str:
    if instant is None:
        return '<span class="dim">never</span>'
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _empty(columns: int) -> str:
    return f'<tr><td class="dim" colspan="{columns}">none yet</td></tr>'
