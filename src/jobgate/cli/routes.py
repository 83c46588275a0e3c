"""`jobgate routes`: what can be called."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def routes(as_json: bool) -> None:
    """List every endpoint and action."""
    import os

    from jobgate.registry import load_actions
    from jobgate.settings import read_settings

    table = load_actions(read_settings(os.environ).actions_dir)
    actions = [action for verbs in table.values() for action in verbs.values()]
    if as_json:
        rows = [
            {
                "endpoint": action.endpoint,
                "action": action.verb,
                "guarded": action.guarded,
                "request": action.request.__name__,
                "summary": action.summary,
            }
            for action in actions
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    widest = max((len(action.endpoint) for action in actions), default=0)
    for action in actions:
        mark = "guarded" if action.guarded else ""
        click.echo(f"{action.endpoint:<{widest}}  {action.verb:<6}  {mark:<7}  {action.summary}")
