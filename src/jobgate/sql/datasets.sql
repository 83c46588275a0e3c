-- Datasets: definitions, uploaded files, and the results that jobs compile from them.

-- How many files a dataset takes.
-- name: dataset_file_count
select file_count from dataset where organisation_id = $1 and dataset_id = $2

-- The same, and nobody sets the dataset anew before the caller's transaction ends.
-- name: hold_dataset
select file_count from dataset where organisation_id = $1 and dataset_id = $2 for key share

-- A file that arrived. Its row stays locked, so that equal files follow one another.
-- name: put_dataset_file
insert into dataset_file (organisation_id, dataset_id, number, upload, lines) values ($1, $2, $3, $4, $5)
on conflict (organisation_id, dataset_id, number) do update
set upload = excluded.upload, lines = excluded.lines, uploaded_at = clock_timestamp()

-- Forget what an older upload of a file said.
-- name: delete_dataset_members
delete from dataset_member where organisation_id = $1 and dataset_id = $2 and number = $3

-- Where COPY can write: it refuses tables with row-level security.
-- name: stage_dataset_members
create temporary table uploaded_line (user_id text not null, group_path text[] not null) on commit drop

-- name: insert_dataset_members
insert into dataset_member (organisation_id, dataset_id, number, user_id, group_path)
select $1, $2, $3, user_id, group_path from uploaded_line

-- name: clear_dataset_stage
truncate uploaded_line

-- name: count_dataset_lines
select coalesce(sum(lines), 0) from dataset_file where organisation_id = $1 and dataset_id = $2
