"""Pull and push: between a store and a far end, batch by batch, each once whatever dies meanwhile.

    trips      what both have in common: the cursor of a run, the progress of a saved job, how failures end
    lrs_pull   pages of an LRS into a store            lrs_push   a store's statements to an LRS
    file_pull  lines of files into a store             file_push  a store's records to files
    arriving   records into a store                    leaving    records out of it

Nothing is asked of a far end while a chunk is open: what came is recorded together with the cursor, and what was sent
is written down afterwards. Whatever dies between the two is done again, and known again.
"""
