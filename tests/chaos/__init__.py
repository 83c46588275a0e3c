"""Chaos: real gateways, workers, Postgres and Valkey under load while faults strike, then a look at what is true.

    python -m tests.chaos --seed 7                           the fault catalogue at its counts: a quarter of an hour
    python -m tests.chaos --seed 7 --quick                   every fault a few times, below a minute
    python -m tests.chaos --seed 7 --quick --without fence   one guard removed: this run must go red

`servers`, `line`, `fleet` and `stage` are where it happens, `lanes` the clients, `faults` what strikes, `campaign` the
order of it all, `traps` and `guards` what the `launcher` does to a jobgate process, `content` the user's own action and
tasks, `checker` and `report` the end.
"""
