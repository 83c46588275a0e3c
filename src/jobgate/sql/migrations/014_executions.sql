-- Runs before the code that needs it. Executions are kept for different times, by how they ended; in each table the
-- oldest of an outcome are found at once.

create index job_ended_execution on job (state, completed_at) where definition_id is not null;
create index job_archive_ended_execution on job_archive (state, completed_at) where definition_id is not null;
