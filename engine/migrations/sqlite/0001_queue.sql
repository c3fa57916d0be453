-- Moments are milliseconds since 1970, documents are JSON text, booleans 0 or 1.
create table signatures (
    id integer primary key autoincrement,
    key text not null unique,
    task_name text not null
) strict;

create table workers (
    name text not null primary key,
    slots integer not null default 1,
    last_seen integer,
    -- The random number of the process that reported last.
    instance integer,
    reported text not null default '{}',
    static text not null default '{}',
    effective text not null default '{}',
    -- None before the first report.
    hash text,
    allow text,
    deny text,
    enabled integer not null default 1,
    draining integer not null default 0
) strict;
create index workers_hash on workers (hash);

create table verdicts (
    hash text not null,
    signature_id integer not null references signatures on delete cascade,
    can_run integer not null,
    reasons text not null,
    -- Whether it says no more than that the plugin could not be asked.
    failed integer not null default 0,
    primary key (hash, signature_id)
) strict;
create index verdicts_signature on verdicts (signature_id);
create index verdicts_failed on verdicts (signature_id) where failed;
create index verdicts_fit on verdicts (hash, signature_id) where can_run;

create table requests (
    id integer primary key autoincrement,
    task_name text not null,
    task_data text not null,
    priority integer not null,
    created_at integer not null,
    timeout_ms integer,
    max_attempts integer not null,
    status text not null default 'pending' check (status in ('pending', 'running', 'completed', 'held')),
    result text,
    errors text not null default '[]',
    abort_requested integer not null default 0,
    not_before integer not null default 0,
    signature_id integer references signatures,
    -- The number of the newest attempt, and how many were lost since the request was submitted or last retried.
    attempts integer not null default 0,
    lost integer not null default 0,
    fence integer not null default 0,
    completed_at integer
) strict;
-- The queue: what a claim costs depends neither on the backlog nor on what stands in front and fits nobody.
create index requests_queue on requests (signature_id, priority desc, id) where status = 'pending';
-- What no scheduler has looked at: what one finds there depends not on how many wait for tasks that it cannot ask.
create index requests_unsigned on requests (task_name, priority desc, id) where status = 'pending' and signature_id is null;
create index requests_unfinished on requests (task_name) where status <> 'completed';
create index requests_signature on requests (signature_id);
create index requests_completed on requests (completed_at) where status = 'completed';

create table attempts (
    request_id integer not null references requests on delete cascade,
    n integer not null,
    worker text not null,
    fence integer not null,
    started_at integer not null,
    lease_until integer not null,
    -- How long the lease holds each time that it is renewed.
    lease_ms integer not null,
    ended_at integer,
    outcome text,
    reason text,
    log_lines integer not null default 0,
    log_bytes integer not null default 0,
    log_full integer not null default 0,
    primary key (request_id, n)
) strict;
create index attempts_running on attempts (worker) where ended_at is null;

create table log_lines (
    request_id integer not null,
    n integer not null,
    line integer not null,
    time integer not null,
    level text not null,
    message text not null,
    primary key (request_id, n, line),
    foreign key (request_id, n) references attempts on delete cascade
) strict;

create table artifacts (
    id integer primary key autoincrement,
    category text not null,
    data text not null,
    created_at integer not null,
    request_id integer references requests on delete set null,
    -- The number of the attempt of that request.
    attempt integer
) strict;
create index artifacts_request on artifacts (request_id);

create table files (
    id integer primary key,
    artifact_id integer not null references artifacts on delete cascade,
    name text not null,
    size integer not null,
    sha256 text not null,
    unique (artifact_id, name)
) strict;

-- Contents in pieces of up to 1 MiB, each kept once.
create table chunks (
    sha256 text not null primary key,
    -- Before the bytes: what stands behind them is found by reading them all.
    kept_at integer not null,
    bytes blob not null
) strict;

create table file_chunks (
    file_id integer not null references files on delete cascade,
    place integer not null,
    chunk text not null references chunks,
    primary key (file_id, place)
) strict;
create index file_chunks_chunk on file_chunks (chunk);

create table relations (
    artifact_id integer not null references artifacts on delete cascade,
    target_id integer not null references artifacts on delete cascade,
    kind text not null,
    primary key (artifact_id, target_id, kind)
) strict;
create index relations_target on relations (target_id);

-- The moment up to which time has gone on for what looks for old things, whatever the clock says.
create table upkeep (
    one integer not null primary key check (one = 1),
    time integer not null
) strict;
insert into upkeep values (1, cast(unixepoch('subsec') * 1000 as integer));

pragma user_version = 1;
