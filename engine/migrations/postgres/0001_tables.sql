-- Moments are milliseconds since 1970, documents are JSON text.
create schema if not exists taskbay;
set local search_path = taskbay, pg_temp;

create function schema_version() returns bigint language sql as 'select 1::bigint';

-- The clock and not the transaction's start, since a statement may have waited for a lock meanwhile.
create function now_ms() returns bigint language sql volatile as
    'select pg_catalog.floor(pg_catalog.date_part(''epoch'', pg_catalog.clock_timestamp()) * 1000)::bigint';

-- Whether a text is a name: short, and without characters that a terminal would obey.
create function is_name(p_text text) returns boolean language sql immutable as
    $$ select octet_length(p_text) between 1 and 1024 and p_text !~ '[\u0001-\u001f\u007f-\u009f]' $$;

-- Whether every reader can read a document: a double holds its numbers, and nothing is nested more deeply than readers of
-- JSON follow. What is no JSON is an error. No value of `jsonb` has the character NUL, which is fine as far as this goes.
create function is_readable(p_document text) returns boolean
language plpgsql immutable set search_path = pg_catalog as $$
declare
    v_document jsonb := replace(p_document, '\u0000', '\u2400')::jsonb;
begin
    return not jsonb_path_exists(v_document, 'strict $.** ? (@.type() == "number"
            && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))')
        and not jsonb_path_exists(v_document, 'strict $.**{127} ? (@.type() == "object" || @.type() == "array")');
end $$;

create table signatures (
    id bigint generated always as identity primary key,
    key text not null unique,
    task_name text not null
);

create table workers (
    name text not null primary key check (is_name(name)),
    slots bigint not null default 1 check (slots between 0 and 4294967295),
    last_seen bigint,
    -- The random number of the process that reported last.
    instance bigint,
    -- Longer than what comes in, since the database writes it with spaces and numbers with all their digits.
    reported text not null default '{}' check (octet_length(reported) <= 4194304),
    static text not null default '{}',
    effective text not null default '{}' check (octet_length(effective) <= 8388608),
    -- None before the first report.
    hash text,
    allow text,
    deny text,
    enabled boolean not null default true,
    draining boolean not null default false
);
create index workers_hash on workers (hash);

create table verdicts (
    hash text not null,
    signature_id bigint not null references signatures on delete cascade,
    can_run boolean not null,
    reasons text not null,
    -- Whether it says no more than that the plugin could not be asked.
    failed boolean not null default false,
    primary key (hash, signature_id)
);
create index verdicts_signature on verdicts (signature_id);
create index verdicts_failed on verdicts (signature_id) where failed;
create index verdicts_fit on verdicts (hash, signature_id) where can_run;

create table requests (
    id bigint generated always as identity primary key,
    task_name text not null,
    task_data text not null,
    priority bigint not null,
    created_at bigint not null,
    timeout_ms bigint,
    max_attempts bigint not null,
    status text not null default 'pending' check (status in ('pending', 'running', 'completed', 'held')),
    result text check (result in ('success', 'failure', 'error', 'aborted')),
    errors text not null default '[]' check (octet_length(errors) <= 1048576),
    abort_requested boolean not null default false,
    not_before bigint not null default 0,
    signature_id bigint references signatures,
    -- The number of the newest attempt, and how many were lost since the request was submitted or last retried.
    attempts bigint not null default 0,
    lost bigint not null default 0,
    fence bigint not null default 0,
    completed_at bigint
);
-- The queue: what a claim costs depends neither on the backlog nor on what stands in front and fits nobody.
create index requests_queue on requests (signature_id, priority desc, id) where status = 'pending';
-- What no scheduler has looked at: what one finds there depends not on how many wait for tasks that it cannot ask.
create index requests_unsigned on requests (task_name, priority desc, id) where status = 'pending' and signature_id is null;
create index requests_unfinished on requests (task_name) where status <> 'completed';
create index requests_signature on requests (signature_id);
create index requests_completed on requests (completed_at) where status = 'completed';

create table attempts (
    request_id bigint not null references requests on delete cascade,
    n bigint not null,
    worker text not null,
    fence bigint not null,
    started_at bigint not null,
    lease_until bigint not null,
    -- How long the lease holds each time that it is renewed.
    lease_ms bigint not null,
    ended_at bigint,
    outcome text,
    reason text check (octet_length(reason) <= 4096),
    log_lines bigint not null default 0,
    log_bytes bigint not null default 0,
    log_full boolean not null default false,
    primary key (request_id, n)
);
-- Without `lease_until`, so that a renewal changes no index.
create index attempts_running on attempts (worker) where ended_at is null;

create table log_lines (
    request_id bigint not null,
    n bigint not null,
    line bigint not null,
    time bigint not null,
    level text not null check (level in ('error', 'warn', 'info', 'debug', 'trace', 'output')),
    message text not null check (octet_length(message) <= 65536),
    primary key (request_id, n, line),
    foreign key (request_id, n) references attempts on delete cascade
);

create table artifacts (
    id bigint generated always as identity primary key,
    category text not null check (is_name(category)),
    data text not null check (octet_length(data) <= 1048576 and is_readable(data)),
    created_at bigint not null,
    request_id bigint references requests on delete set null,
    -- The number of the attempt of that request.
    attempt bigint
);
create index artifacts_request on artifacts (request_id);

create table files (
    id bigint generated always as identity primary key,
    artifact_id bigint not null references artifacts on delete cascade,
    -- A relative path of plain parts, so that it leads nowhere out of the folder into which somebody puts the file.
    name text not null check (is_name(name) and name !~ '(^|/)(\.|\.\.)?(/|$)'),
    size bigint not null check (size >= 0),
    sha256 text not null,
    unique (artifact_id, name)
);

-- Contents in pieces of up to 1 MiB, each kept once.
create table chunks (
    sha256 text not null primary key,
    bytes bytea not null check (octet_length(bytes) <= 1048576),
    kept_at bigint not null
);

create table file_chunks (
    file_id bigint not null references files on delete cascade,
    place bigint not null,
    chunk text not null references chunks,
    primary key (file_id, place)
);
create index file_chunks_chunk on file_chunks (chunk);

create table relations (
    artifact_id bigint not null references artifacts on delete cascade,
    target_id bigint not null references artifacts on delete cascade,
    kind text not null check (kind in ('extends', 'relates-to', 'built-using')),
    primary key (artifact_id, target_id, kind)
);
create index relations_target on relations (target_id);

-- The moment up to which time has gone on for what looks for old things, whatever the clock says.
create table upkeep (
    one bigint not null primary key check (one = 1),
    time bigint not null
);
insert into upkeep values (1, now_ms());
