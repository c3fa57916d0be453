//! What every engine does: each case runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bay;
mod server;

/// Artifacts, streamed and kept once.
mod artifacts;
/// Rows that cannot be read stop nothing but themselves, and a worker's role cannot make any.
mod bad_rows;
/// Transactions that meet on PostgreSQL, each at its worst moment.
mod contention;
/// What workers report, and what administrators say.
mod fleet;
/// Who lost a lease is refused, and attempts are limited.
mod leases;
/// Logs, in order and limited.
mod logs;
/// Signatures and verdicts.
mod matching;
/// What only one of the databases has.
mod only_postgres;
mod only_sqlite;
/// Opening: migrations at once, newer schemas, secrets, and processes that are killed.
mod opening;
/// What goes when it is old.
mod prune;
/// The best request first, and nothing in the way.
mod queue;
/// No request twice, whoever asks at the same time.
mod rush;
/// Servers that do not answer.
mod silence;
/// Abort, retry, refuse, and how requests are listed.
mod submission;
/// Waiting for a change.
mod wait;

/// Makes each case a test on both databases.
macro_rules! on_both {
    ($($module:ident: $($case:ident),+;)+) => {
        mod sqlite {
            $($(#[test] fn $case() { crate::$module::$case(&crate::bay::Bay::sqlite()); })+)+
        }
        mod postgres {
            $($(#[test] fn $case() { if let Some(bay) = crate::bay::Bay::postgres() { crate::$module::$case(&bay); } })+)+
        }
    };
}

on_both! {
    queue: higher_priority_first_then_the_older, what_fits_nobody_blocks_nothing, only_what_a_verdict_permits,
        what_is_held_back_waits, what_nothing_waits_with_costs_nothing;
    rush: sixteen_threads_take_each_request_once, sixteen_threads_see_each_completion_once;
    leases: an_expired_lease_is_refused, a_resumed_worker_is_refused, a_successor_of_the_same_name_is_another,
        a_renewed_lease_holds, attempts_are_limited_and_leave_evidence, what_was_completed_stays,
        a_released_request_waits_again, a_wrong_fence_is_refused, a_fence_is_not_to_be_guessed,
        a_clock_that_was_set_back_holds_nothing, a_jump_is_put_right_in_the_end;
    submission: a_pending_request_is_aborted_at_once, a_running_request_is_told, an_abort_outlives_its_worker,
        a_retried_request_counts_anew, what_cannot_be_retried_stays_at_hand, a_refused_request_says_why, requests_are_listed, what_waits_is_listed_as_it_comes, what_is_too_large_is_refused,
        data_is_kept_as_it_was_written;
    matching: verdicts_are_missing_until_recorded, a_changed_plugin_is_signed_anew, what_ran_is_signed_anew, verdicts_go_with_their_metadata,
        a_key_is_one_tasks, verdicts_that_failed_are_missing_again,
        a_failure_takes_the_place_of_no_verdict, signatures_come_in_parts, a_signature_is_taken_from_its_requests, a_backlog_is_not_looked_through,
        what_cannot_be_signed_is_not_looked_through;
    fleet: static_metadata_overrides_what_is_reported, an_allow_list_shadows_a_deny_list, a_draining_worker_gets_nothing,
        settings_may_come_first, a_worker_is_forgotten, settings_are_changed_one_after_the_other,
        another_process_of_the_name_is_noticed,
        metadata_takes_any_json, an_unknown_worker_is_told;
    logs: lines_keep_their_order, a_log_is_limited, a_late_line_is_refused, any_text_is_logged;
    artifacts: five_mebibytes_come_back, files_are_written_whole, contents_are_kept_once, artifacts_relate,
        a_result_is_one_attempts, the_newest_that_fits_is_found, odd_names_are_refused,
        a_lost_lease_makes_nothing, a_failing_reader_leaves_nothing;
    bad_rows: a_bad_worker_is_left_out, a_bad_request_is_left_out, an_artifact_with_an_odd_name_is_given_to_nobody;
    prune: old_requests_go_with_their_logs, signatures_that_nobody_has_go, what_lost_attempts_left_goes_with_their_request,
        a_clock_that_is_far_ahead_makes_nothing_old, a_clock_that_was_far_behind_keeps_nothing,
        content_that_comes_in_as_the_clock_jumps_stays, workers_that_are_gone_go, orphaned_content_goes;
    wait: another_connection_is_noticed, waiting_ends_in_time, nothing_is_nothing_to_notice, each_watcher_sees_for_itself;
    opening: two_may_migrate_at_once, a_newer_schema_is_refused, what_is_open_is_named_without_secrets;
}
