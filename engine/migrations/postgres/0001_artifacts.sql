-- Artifacts, as workers fetch and make them. SQLSTATE TB004 is an unknown artifact.

-- Whether that piece is there already; if so, it is not pruned soon.
create function keep_chunk(p_sha256 text) returns boolean
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    update chunks set kept_at = now_ms() where sha256 = p_sha256;
    return found;
end $$;

-- Hashed here, so that nobody can put one thing under the name of another.
create function put_chunk(p_bytes bytea) returns void
language sql security definer set search_path = pg_catalog, taskbay, pg_temp as $$
    insert into chunks (sha256, bytes, kept_at) values (encode(sha256(p_bytes), 'hex'), p_bytes, now_ms())
    on conflict (sha256) do update set kept_at = excluded.kept_at
$$;

create function store_artifact(p_request bigint, p_attempt bigint, p_category text, p_data text, p_files text)
returns bigint
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
declare
    v_id bigint;
    v_file jsonb;
    v_file_id bigint;
begin
    insert into artifacts (category, data, created_at, request_id, attempt)
    values (p_category, p_data, now_ms(), p_request, p_attempt)
    returning id into v_id;
    for v_file in select jsonb_array_elements(p_files::jsonb) loop
        insert into files (artifact_id, name, size, sha256)
        values (v_id, v_file ->> 'name', (v_file ->> 'size')::bigint, v_file ->> 'sha256')
        returning id into v_file_id;
        insert into file_chunks (file_id, place, chunk)
        select v_file_id, c.i - 1, c.chunk from jsonb_array_elements_text(v_file -> 'chunks') with ordinality as c (chunk, i);
    end loop;
    return v_id;
end $$;

create function create_artifact(
    p_request bigint, p_attempt bigint, p_fence bigint, p_category text, p_data text, p_files text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    -- The artifact refers to its request. Whoever ends the attempt meanwhile locks the request first, so this does.
    perform from requests where id = p_request for key share;
    perform hold(p_request, p_attempt, p_fence);
    return store_artifact(p_request, p_attempt, p_category, p_data, p_files);
end $$;

create function show_artifact(p_id bigint)
returns table (
    id bigint, category text, data text, created_at bigint, request_id bigint, attempt bigint, files text, relations text
)
language sql stable security definer set search_path = pg_catalog, taskbay, pg_temp as $$
    select a.id, a.category, a.data, a.created_at, a.request_id, a.attempt,
        (select coalesce(json_agg(json_build_object('name', f.name, 'size', f.size, 'sha256', f.sha256) order by f.name collate "C"), '[]')::text
            from files f where f.artifact_id = a.id),
        (select coalesce(json_agg(json_build_object('artifact', l.artifact_id, 'target', l.target_id, 'kind', l.kind)
                order by l.artifact_id, l.target_id, l.kind), '[]')::text
            from relations l where l.artifact_id = a.id or l.target_id = a.id)
    from artifacts a where a.id = p_id
$$;

-- Of an attempt that did not end with a result it finds nothing.
create function find_artifact(p_category text, p_data text) returns bigint
language sql stable security definer set search_path = pg_catalog, taskbay, pg_temp as $$
    select a.id from artifacts a
    where a.category = p_category and not exists (
        select from json_each_text(p_data::json) wanted
        where json_typeof(a.data::json -> wanted.key) is distinct from 'string'
            or a.data::json ->> wanted.key <> wanted.value)
    and (a.request_id is null or exists (
        select from attempts t
        where t.request_id = a.request_id and t.n = a.attempt and t.outcome not in ('lost', 'released')))
    order by a.id desc limit 1
$$;

create function fetch_piece(p_artifact bigint, p_name text, p_place bigint) returns bytea
language sql stable security definer set search_path = pg_catalog, taskbay, pg_temp as $$
    select c.bytes from files f join file_chunks p on p.file_id = f.id join chunks c on c.sha256 = p.chunk
    where f.artifact_id = p_artifact and f.name = p_name and p.place = p_place
$$;

create function note_relation(p_artifact bigint, p_target bigint, p_kind text) returns void
language plpgsql set search_path = pg_catalog, taskbay, pg_temp as $$
declare
    v_missing bigint;
begin
    select wanted into v_missing from unnest(array[p_artifact, p_target]) as wanted
    where not exists (select from artifacts where id = wanted) limit 1;
    if found then
        raise exception using errcode = 'TB004', message = v_missing::text;
    end if;
    insert into relations (artifact_id, target_id, kind) values (p_artifact, p_target, p_kind) on conflict do nothing;
end $$;

create function relate(
    p_request bigint, p_attempt bigint, p_fence bigint, p_artifact bigint, p_target bigint, p_kind text
) returns void
language plpgsql security definer set search_path = pg_catalog, taskbay, pg_temp as $$
begin
    perform hold(p_request, p_attempt, p_fence);
    perform note_relation(p_artifact, p_target, p_kind);
end $$;
