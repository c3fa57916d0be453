-- The role of workers, which may call their functions and nothing else. A login of a worker is a member of it.

-- Every function could be called by everybody otherwise.
revoke all on all functions in schema taskbay from public;

create function grant_worker() returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    grant usage on schema taskbay to taskbay_worker;
    grant execute on function
        schema_version(), report(text, bigint, text, bigint), claim(text, bigint), renew(bigint, bigint, bigint, bigint),
        is_abort_requested(bigint, bigint, bigint), append_log(bigint, bigint, bigint, text), complete(bigint, bigint, bigint, text, text),
        release(bigint, bigint, bigint, text, bigint), keep_chunk(text), put_chunk(bytea),
        create_artifact(bigint, bigint, bigint, text, text, text), show_artifact(bigint), find_artifact(text, text),
        fetch_piece(bigint, text, bigint), relate(bigint, bigint, bigint, bigint, bigint, text)
    to taskbay_worker;
end $$;
revoke all on function grant_worker() from public;

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'taskbay_worker') then
        create role taskbay_worker nologin;
    end if;
exception
    -- Whoever opens the database is told. And two databases of one cluster may be made at once.
    when insufficient_privilege or duplicate_object or unique_violation then null;
end $$;

do $$
begin
    if exists (select from pg_catalog.pg_roles where rolname = 'taskbay_worker') then
        perform taskbay.grant_worker();
    end if;
end $$;
