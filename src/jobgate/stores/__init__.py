"""Stores: xAPI data in Postgres, and everything that happens to it there.

    spaces      the stores themselves          recording   statements in, by the options of a pipeline
    catalogue   what statements name           erasing     statements out, with all that hangs on them
    people      agents, and who is whom        traces      what there is of somebody, found and deleted
    documents   states and profiles            tokens      what launched content speaks with
    validating  verdicts on what came unjudged sweeping    what is old enough goes, kind by kind
    logs        what is told about a store     chronicle   what is told of runs on it
    ending      a store itself goes

Whoever writes into a store holds it (`spaces.hold`), so its writers come one after another.
"""
