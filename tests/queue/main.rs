//! Requests from `submit` to their results, with real processes, signals and kills, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails; of the farm only a part is used here"
)]

#[path = "../it/faketime.rs"]
mod faketime;
#[path = "../it/farm.rs"]
mod farm;
#[path = "../../engine/tests/conformance/server.rs"]
mod server;
#[path = "../it/unruly.rs"]
mod unruly;

/// A farm with an engine, and the processes that meet in it.
mod bay;

/// A run of faults that a seed chooses.
mod chaos;
/// Clocks that jump while leases run.
mod clocks;
/// What each command says.
mod commands;
/// Workers and schedulers that die, are paused, or are told to end.
mod crashes;
/// A PostgreSQL server that a test kills and starts again.
mod database;
/// A disk that is full: what was recorded stays, and work goes on once there is room again.
mod disk;
/// Tasks that run in a system which the engine has.
mod environments;
/// Who can execute what, and why not.
mod explained;
/// Schedulers, workers and databases that are killed in the middle of a thousand requests.
mod faults;
/// What the database itself saw.
mod ledger;
/// An artifact of more files than a process may have open.
mod many_files;
/// What a scheduler makes of plugins that come, and of bad plugins and requests.
mod scheduling;
/// What is signed for the firmware: out of packages, and into a source package.
mod signing;
/// A file system that a test fills up.
mod small_disk;
/// What a service tells the service manager that started it.
mod supervised;
/// What people are told of a request on its way, of its data, and of settings.
mod told;
/// Plugins that are replaced in mid-queue, and workers that have another version than the scheduler.
mod versions;

/// Makes each case a test on both databases.
macro_rules! on_both {
    ($($module:ident: $($case:ident),+;)+) => {
        mod sqlite {
            $($(#[test] fn $case() { crate::$module::$case(&crate::bay::Bay::sqlite()); })+)+
        }
        mod postgres {
            $($(#[test] fn $case() {
                if let Some(bay) = crate::bay::Bay::postgres() { crate::$module::$case(&bay); }
            })+)+
        }
    };
}

on_both! {
    commands: a_request_is_executed_and_its_result_told, a_running_request_is_aborted,
        what_waits_is_aborted_and_tried_again, artifacts_go_in_and_out, what_is_old_is_removed, two_workers_of_one_name_are_warned,
        workers_are_told_what_they_may, what_tasks_say_is_nothing_to_obey,
        a_panic_is_told_as_one, a_configuration_that_is_not_there_is_told, a_hangup_is_heard, a_worker_is_removed;
    told: whoever_waits_hears_how_far_it_is, a_password_that_all_can_read_is_warned_of, task_data_is_shown_in_a_line;
    crashes: a_killed_worker_is_replaced, a_request_that_outlives_no_worker_is_held,
        a_paused_worker_is_refused, a_paused_worker_is_refused_with_a_successor_of_its_name,
        a_worker_that_ends_finishes_or_hands_back,
        what_still_runs_as_a_worker_ends_is_aborted, a_killed_scheduler_is_replaced;
    scheduling: a_task_that_comes_is_scheduled, a_request_that_crashes_its_plugin_costs_no_other,
        requests_wait_for_a_plugin_that_is_repaired, requests_wait_for_a_plugin_that_is_away, an_error_of_any_size_is_recorded, a_log_is_whole,
        a_verdict_that_fails_hides_no_other, many_verdicts_that_fail_hide_no_other,
        a_verdict_that_kills_its_plugin_is_asked_for_once_in_a_while,
        a_worker_hears_what_an_administrator_took_back, a_service_ends_whatever_there_is_to_do;
    environments: an_environment_is_found_by_what_it_is;
    signing: what_a_template_names_is_signed;
    many_files: an_artifact_of_many_files_goes_in_and_out;
    supervised: services_say_that_they_are_ready_and_live;
    faults: a_scheduler_is_killed_among_a_thousand_requests, two_schedulers_share_many_requests;
    versions: a_plugin_is_replaced_in_mid_queue, a_plugin_is_replaced_while_no_scheduler_runs,
        versions_may_differ_in_a_fleet, schedulers_with_different_builds_settle;
    explained: a_request_that_nobody_can_execute_is_explained, a_worker_is_told_of_so_many_requests,
        what_a_worker_could_execute_is_told,
        what_cannot_be_judged_here_is_explained_by_what_is_recorded, what_nobody_has_judged_is_told_of_a_worker,
        a_plugin_that_fails_is_explained;
}

/// Makes each case a test on the one database that it is about.
macro_rules! on_one {
    ($($module:ident: $($case:ident),+;)+) => {
        $($(#[test] fn $case() { $module::$case(); })+)+
    };
}

on_one! {
    faults: a_database_is_killed_among_a_thousand_requests, a_service_is_killed_among_a_thousand_requests,
        a_database_is_killed_while_somebody_waits, a_submit_without_an_answer_ends_when_told_to, more_workers_come_at_once_than_there_are_connections;
    disk: a_file_on_a_full_disk_stays_whole, a_server_on_a_full_disk_stays_whole;
    clocks: a_clock_goes_forward_by_an_hour, a_clock_goes_back_by_an_hour,
        a_clock_goes_forward_before_a_scheduler_looks, a_servers_clock_goes_forward_by_an_hour,
        a_servers_clock_goes_back_by_an_hour;
    chaos: any_fault_leaves_each_request_one_result_in_a_file, any_fault_leaves_each_request_one_result_in_a_server;
}
