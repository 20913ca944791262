"""How long a what-if replay takes: a draft without the council, over every past proposal of the filled database."""

import json
from datetime import timedelta
from typing import Final

from governance import clock
from governance.policies.actions import begin_draft, save_draft
from workflows.benchmarks.institution import Place
from workflows.benchmarks.timing import Clock, Result, counted
from workflows.insights import actions as insights

# Seconds of processor time that ten thousand past proposals may take.
LIMIT: Final = 60.0


def replayed(place: Place, cpu: Clock) -> Result:
    """Taken once: a replay goes through all there is, and a second would find the same."""
    actor = place.administrator
    drafted = begin_draft(actor=actor, like=place.policy, effective_from=clock.today() + timedelta(days=90))
    rules = json.loads(drafted.rules)
    rules["route"] = [stage for stage in rules["route"] if stage["key"] != "undergraduate-council"]
    drafted = save_draft(actor=actor, version=drafted, seen=drafted.saves, rules=rules)
    replay = insights.start(actor=actor, version=drafted)
    begun = cpu()
    insights.run(replay_id=replay.pk, seconds=float("inf"))
    seconds = (cpu() - begun) / 1e9
    replay.refresh_from_db()
    return counted("replay", seconds * 10_000 / replay.done, LIMIT, "s for 10,000")
