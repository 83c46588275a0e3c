-- About the server itself.

-- Can it be written to, and what time is it there?
-- name: server_state
select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
    extract(epoch from clock_timestamp())::float8 as now_s

-- A time before which no session will ever be written again: every transaction that could still do so started later.
-- Transactions that write take their number before they read the clock (`Database.transaction`), so those without a
-- number need not be waited for; the clock is read before the list of transactions.
-- name: session_horizon
with clock as materialized (select clock_timestamp() as now)
select least(clock.now, (select min(xact_start) from pg_stat_get_activity(null)
    where backend_xid is not null and backend_type = 'client backend' and pid <> pg_backend_pid()
        and datid = (select oid from pg_database where datname = current_database())))
from clock

-- What doctor wants to know about the role and the server.
-- name: role_state
select rolsuper, rolbypassrls, current_setting('server_version_num')::integer as version, current_user as name
from pg_roles where rolname = current_user
