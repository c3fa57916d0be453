//! An attempt that is prepared before it is known what it executes.
//!
//! A host that is confined from its start may be asked what it takes to execute a task, and then execute it: none of the
//! plugin's code has run in it that was not confined. So an attempt takes one host where it would take two.

use crate::{
    hosts::Hosts,
    work_directory::{Room, WorkDirectory},
};
use std::io;
use taskbay_core::{Configured, Confinement};
use taskbay_loader::{Admissible, FileIdentity};

/// The most that a task can ask for. Which one it asks for, it says when it is configured.
const MOST: Confinement = Confinement::Strict;

/// An attempt to come: its plugin, and its work directory, to which its host is confined.
#[derive(Debug)]
pub(crate) struct Prepared {
    plugin: FileIdentity,
    work: WorkDirectory,
}

impl Prepared {
    /// One for that plugin, and the room that its host is confined to; none where there is no room.
    fn new(file: &Admissible) -> Option<(Self, Room)> {
        // Whoever executes the task says what is wrong.
        let work = WorkDirectory::new(file.name()).ok()?;
        let room = work.room(MOST).ok()??;
        let plugin = file.identity();
        Some((Self { plugin, work }, room))
    }
}

impl Hosts {
    /// Has a host that is confined as tightly as a task can ask for answer what is asked from now on of the plugin of `file`,
    /// whose task is about to be executed. That host then [executes](Self::execute) it too, if the task asks for no less. What
    /// fails in it is asked again in one that is not confined.
    pub fn prepare(&mut self, file: &Admissible) {
        self.is_not_prepared();
        if self.place().is_here() {
            return;
        }
        if let Some((prepared, room)) = Prepared::new(file) {
            self.place().confine(Some(room));
            *self.prepared() = Some(prepared);
        }
    }

    /// Whether the host that answers is confined, and so may answer otherwise than one that is not.
    pub(crate) fn is_prepared(&mut self) -> bool {
        self.prepared().is_some()
    }

    /// From now on no host is confined before it executes.
    pub(crate) fn is_not_prepared(&mut self) {
        if let Some(prepared) = self.prepared().take() {
            self.drop_prepared(prepared);
        }
    }

    /// A work directory, to which the host that executes the task is confined as the task asks for. It is the running one
    /// where that was prepared for it.
    pub(crate) fn room_for(
        &mut self,
        file: &Admissible,
        configured: &Configured,
    ) -> io::Result<WorkDirectory> {
        let confinement = configured.declared.confinement;
        if let Some(prepared) = self.prepared().take() {
            let plugin = file.identity();
            let is_for_it = confinement == MOST && prepared.plugin == plugin;
            if is_for_it && self.place().is_ready_for(plugin) {
                return Ok(prepared.work);
            }
            self.drop_prepared(prepared);
        }
        let work = WorkDirectory::new(file.name())?;
        if !self.place().is_here() {
            let room = work.room(confinement)?;
            self.place().confine(room);
        }
        Ok(work)
    }

    fn drop_prepared(&mut self, prepared: Prepared) {
        // First the host, which may still write there.
        self.place().confine(None);
        prepared.work.put_away(false);
    }
}
