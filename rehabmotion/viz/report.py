"""A report as one self-contained page: headings, text, tables, charts and, at its end, motions that play."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rehabmotion.motion import Motion
from rehabmotion.viz.player import hash_of, player_html, player_scripts, template


def report_html(title: str, sections: Sequence[tuple[str, str]], panels: Sequence[tuple[str, Motion]] = ()) -> str:
    """Return the page; sections are (heading, HTML that is safe as it is), panels the motions of the player.

    Nothing is loaded from anywhere: the policy of the page names its own style and the player's style and script.
    """
    style = template("report.css")
    player = ""
    allowed_style, allowed_script = hash_of(style), "'none'"
    if panels:
        page = player_html(panels, title)
        allowed_script, player_style = player_scripts()
        allowed_style = f"{allowed_style} {player_style}"
        player = (
            '<iframe title="motions side by side" sandbox="allow-scripts" '
            f'srcdoc="{html.escape(page, quote=True)}"></iframe>'
        )
    policy = (
        f"default-src 'none'; style-src {allowed_style}; script-src {allowed_script}; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = "".join(f"<section><h2>{html.escape(heading)}</h2>{body}</section>" for heading, body in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{html.escape(title)}</title><style>{style}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{parts}{player}"
        '<p class="soft">RehabMotion - not a medical device</p></body></html>\n'
    )
