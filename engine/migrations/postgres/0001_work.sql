-- A worker's side. These run with the rights of their owner, so that a worker's role needs no table; their search path is
-- fixed, so that nobody can put a table of his own in the way. What finds rows by their numbers does so through an index,
-- though the statement was planned when the table was short: a connection keeps its plans. SQLSTATE TB001 is a lost lease, TB002 an unknown worker.

-- A greater number that cannot be guessed, so that no worker speaks for another: 48 random bits on top. It begins again
-- after thousands of claims.
create function next_fence(p_fence bigint) returns bigint language sql volatile
set search_path = pg_catalog as $$
    select p_fence % 4611686018427387904 + 1 + ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint
$$;

-- Why a lease does not hold.
create function stale(p_request bigint, p_attempt bigint, p_fence bigint) returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
declare
    v_lease text := format('attempt %s of request %s (fence %s)', p_attempt, p_request, p_fence);
    v_outcome text;
    v_until bigint;
begin
    select outcome, lease_until into v_outcome, v_until from attempts
    where request_id = p_request and n = p_attempt and fence = p_fence;
    raise exception using errcode = 'TB001', message = case
        when not found then format('there is no %s', v_lease)
        when v_outcome is not null then format('%s has ended: %s', v_lease, v_outcome)
        else format('that of %s ran out %s ms ago', v_lease, now_ms() - v_until)
    end;
end $$;

-- Keeps the attempt of a lease that holds from being ended by others.
create function hold(p_request bigint, p_attempt bigint, p_fence bigint) returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    perform from attempts
    where request_id = p_request and n = p_attempt and fence = p_fence and ended_at is null and lease_until > now_ms()
    for update;
    if not found then
        perform stale(p_request, p_attempt, p_fence);
    end if;
end $$;

-- Verdicts on metadata that no worker has any more go. Of several workers that give up the same metadata at once, each would
-- see the others still have it, so one comes after the other.
create function forget(p_hash text) returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(p_hash, 0));
    delete from verdicts where hash = p_hash and not exists (select from workers where hash = p_hash);
end $$;

-- Puts a worker's static metadata over what it reported.
create function settle(p_name text) returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
declare
    v_before text;
    v_effective text;
    v_hash text;
begin
    select hash, (reported::jsonb || static::jsonb)::text into v_before, v_effective from workers
    where name = p_name and last_seen is not null for update;
    if not found then
        return;
    end if;
    v_hash := encode(sha256(convert_to(v_effective, 'UTF8')), 'hex');
    if v_hash is not distinct from v_before then
        return;
    end if;
    update workers set effective = v_effective, hash = v_hash where name = p_name;
    perform forget(v_before);
    perform pg_notify('taskbay', '');
end $$;

create function report(p_name text, p_slots bigint, p_metadata text, p_instance bigint)
returns table (enabled boolean, draining boolean, is_contested boolean, hash text, effective text)
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp as $$
#variable_conflict use_column
declare
    -- Of several values of one key the last one counts, whoever reads it.
    v_metadata jsonb := p_metadata::jsonb;
    v_is_contested boolean;
begin
    if octet_length(p_metadata) > 1048576 then
        raise exception 'worker metadata must not be longer than 1 MiB';
    end if;
    if jsonb_typeof(v_metadata) <> 'object' then
        raise exception 'worker metadata must be a JSON object';
    end if;
    -- The object itself and 64 levels of each value.
    if not is_readable(v_metadata::text)
        or jsonb_path_exists(v_metadata, 'strict $.**{65} ? (@.type() == "object" || @.type() == "array")') then
        raise exception 'worker metadata must not be nested more than 64 levels, nor have numbers that no double holds';
    end if;
    v_is_contested := exists (
        select from workers w where w.name = p_name and w.instance <> p_instance and w.last_seen > now_ms() - 60000
    );
    insert into workers as w (name, slots, reported, instance, last_seen)
    values (p_name, p_slots, v_metadata::text, p_instance, now_ms())
    on conflict (name) do update set slots = excluded.slots, reported = excluded.reported, instance = excluded.instance,
        last_seen = excluded.last_seen;
    perform settle(p_name);
    return query select w.enabled, w.draining, v_is_contested, w.hash, w.effective from workers w where w.name = p_name;
end $$;

-- The best requests for a worker, best first, as many as `p_depth` from each signature and in all. The signatures are found
-- in leaps: the next fit one, the next that requests wait with from there on, and so forth, so that neither the many that
-- nothing waits with any more are looked at, nor the many that do not fit. It is planned once for each connection: to plan it
-- takes longer than to execute it, and longer the longer the queue is. That plan goes through the index whatever the
-- statistics say, which may be of a time when the queue was empty. To compile it would take seconds.
create function front(p_worker text, p_now bigint, p_depth bigint) returns setof bigint
language plpgsql set search_path = pg_catalog, taskbay, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off as $$
begin
    return query
    with recursive worker as materialized (
        select w.hash, w.allow::jsonb as allow, w.deny::jsonb as deny
        from workers w where w.name = p_worker and w.enabled and not w.draining
    ), leap as (
        select 0::bigint as fit, 0::bigint as waits from worker
        union all
        select fit.id, waits.id
        from leap cross join worker
        cross join lateral (
            select v.signature_id as id from verdicts v
            where v.hash = worker.hash and v.can_run
            and v.signature_id >= leap.waits + case when leap.fit = leap.waits then 1 else 0 end
            order by v.signature_id limit 1
        ) fit
        cross join lateral (
            select r.signature_id as id from requests r
            where r.status = 'pending' and r.signature_id >= fit.id
            order by r.signature_id, r.priority desc, r.id limit 1
        ) waits
    )
    select first.id
    from leap cross join worker
    cross join lateral (
        select r.id, r.priority from requests r
        where r.signature_id = leap.fit and r.status = 'pending' and r.not_before <= p_now
        order by r.priority desc, r.id limit p_depth
    ) first
    where leap.fit = leap.waits
    and (worker.allow is null and worker.deny is null or exists (
        select from signatures s
        where s.id = leap.fit
        and case when worker.allow is not null then worker.allow ? s.task_name else not worker.deny ? s.task_name end
    ))
    order by first.priority desc, first.id limit p_depth;
end $$;

create function claim(p_worker text, p_lease bigint)
returns table (
    request_id bigint, attempt bigint, fence bigint, lease_until bigint, task_name text, task_data text, priority bigint,
    timeout_ms bigint
)
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_now bigint := now_ms();
    v_seen bigint;
    v_id bigint;
begin
    select w.last_seen into v_seen from workers w where w.name = p_worker;
    if v_seen is null then
        raise exception using errcode = 'TB002', message = p_worker;
    end if;
    if v_seen < v_now - 10000 then
        update workers set last_seen = v_now where name = p_worker;
    end if;
    select f.id into v_id from front(p_worker, v_now, 1) as f (id);
    if v_id is null then
        return;
    end if;
    perform from requests r where r.id = v_id and r.status = 'pending' for update skip locked;
    if not found then
        -- Another claim has it: then the best of those behind it that no other one holds.
        select r.id into v_id
        from front(p_worker, v_now, 32) with ordinality as f (id, n) join requests r on r.id = f.id
        where r.status = 'pending'
        order by f.n limit 1
        for update of r skip locked;
        if not found then
            return;
        end if;
    end if;
    return query
    with taken as (
        update requests r set status = 'running', attempts = r.attempts + 1, fence = next_fence(r.fence)
        where r.id = v_id
        returning r.id, r.attempts, r.fence, r.task_name, r.task_data, r.priority, r.timeout_ms
    ), begun as (
        insert into attempts (request_id, n, worker, fence, started_at, lease_until, lease_ms)
        select id, attempts, p_worker, fence, v_now, v_now + p_lease, p_lease from taken
    )
    select t.id, t.attempts, t.fence, v_now + p_lease, t.task_name, t.task_data, t.priority, t.timeout_ms from taken t;
end $$;

create function renew(p_request bigint, p_attempt bigint, p_fence bigint, p_length bigint)
returns table (lease_until bigint, abort_requested boolean)
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
declare
    v_until bigint;
begin
    perform hold(p_request, p_attempt, p_fence);
    v_until := now_ms() + p_length;
    update attempts a set lease_until = v_until, lease_ms = p_length where a.request_id = p_request and a.n = p_attempt;
    return query select v_until, r.abort_requested from requests r where r.id = p_request;
end $$;

-- As a renewal says, which changes something.
create function is_abort_requested(p_request bigint, p_attempt bigint, p_fence bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
declare
    v_requested boolean;
begin
    select r.abort_requested into v_requested from attempts a join requests r on r.id = a.request_id
    where a.request_id = p_request and a.n = p_attempt and a.fence = p_fence
        and a.ended_at is null and a.lease_until > now_ms();
    if not found then
        perform stale(p_request, p_attempt, p_fence);
    end if;
    return v_requested;
end $$;

create function append_log(p_request bigint, p_attempt bigint, p_fence bigint, p_lines text) returns void
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
declare
    v_now bigint := now_ms();
    v_attempt attempts;
    v_kept bigint;
    v_bytes bigint;
    v_full boolean;
begin
    perform hold(p_request, p_attempt, p_fence);
    select * into v_attempt from attempts where request_id = p_request and n = p_attempt;
    if v_attempt.log_full then
        return;
    end if;
    with lines as (
        select l.line ->> 0 as level, l.line ->> 1 as message, l.i,
            sum(octet_length(l.line ->> 1)) over (order by l.i) as bytes
        from jsonb_array_elements(p_lines::jsonb) with ordinality as l (line, i)
    ), kept as (
        insert into log_lines (request_id, n, line, time, level, message)
        select p_request, p_attempt, v_attempt.log_lines + i, v_now, level, message from lines
        where v_attempt.log_bytes + bytes <= 16777216
        returning octet_length(message) as bytes
    )
    select count(*), coalesce(sum(bytes), 0) into v_kept, v_bytes from kept;
    v_full := v_kept < jsonb_array_length(p_lines::jsonb);
    if v_full then
        v_kept := v_kept + 1;
        insert into log_lines (request_id, n, line, time, level, message) values (
            p_request, p_attempt, v_attempt.log_lines + v_kept, v_now, 'warn',
            'the rest of this log is dropped: an attempt may log 16 MiB');
    end if;
    update attempts
    set log_lines = v_attempt.log_lines + v_kept, log_bytes = v_attempt.log_bytes + v_bytes, log_full = v_full
    where request_id = p_request and n = p_attempt;
end $$;

-- Whoever ends an attempt locks its request first, so that two of them do not wait for each other.
create function complete(p_request bigint, p_attempt bigint, p_fence bigint, p_result text, p_errors text) returns void
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
declare
    v_now bigint;
begin
    if json_typeof(p_errors::json) <> 'array' or not is_readable(p_errors) or exists (
        select from json_array_elements(p_errors::json) as e (error)
        where case when json_typeof(error) = 'object'
            then json_typeof(error -> 'code') is distinct from 'string'
                or json_typeof(error -> 'message') is distinct from 'string'
            else true
        end
    ) then
        raise exception 'the errors must be a list of objects with `code` and `message`';
    end if;
    perform from requests where id = p_request for update;
    perform from attempts where request_id = p_request and n = p_attempt and fence = p_fence and outcome = p_result;
    if found then
        -- It was said already, and the answer got lost on its way.
        return;
    end if;
    perform hold(p_request, p_attempt, p_fence);
    v_now := now_ms();
    update attempts set ended_at = v_now, outcome = p_result where request_id = p_request and n = p_attempt;
    update requests set status = 'completed', result = p_result, errors = p_errors, completed_at = v_now
    where id = p_request;
    perform pg_notify('taskbay', '');
end $$;

create function release(p_request bigint, p_attempt bigint, p_fence bigint, p_reason text, p_delay bigint) returns void
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp set enable_seqscan = off as $$
declare
    v_now bigint;
begin
    perform from requests where id = p_request for update;
    perform from attempts where request_id = p_request and n = p_attempt and fence = p_fence and outcome = 'released';
    if found then
        -- It was said already, and the answer got lost on its way.
        return;
    end if;
    perform hold(p_request, p_attempt, p_fence);
    v_now := now_ms();
    update attempts set ended_at = v_now, outcome = 'released', reason = p_reason
    where request_id = p_request and n = p_attempt;
    update requests set
        status = case when abort_requested then 'completed' else 'pending' end,
        result = case when abort_requested then 'aborted' end,
        completed_at = case when abort_requested then v_now end,
        not_before = v_now + p_delay,
        -- It is signed anew: its plugin may be another one by now, and nobody looks at what runs.
        signature_id = case when abort_requested then signature_id end
    where id = p_request;
    perform pg_notify('taskbay', '');
end $$;
