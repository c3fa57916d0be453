//! Where plugin code runs: in a child process that is started, and ended, as needed; or in this one.

use crate::{
    Described,
    failure::Failure,
    host_process::{HostProcess, HostProgram},
    later::later,
    plugin_host::PluginHost,
    protocol::{Answer, Question},
    question::ask,
    work_directory::Room,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use taskbay_core::{Abort, NoServer, Server};
use taskbay_loader::FileIdentity;

/// Where plugin code runs, and the plugins that are loaded there.
#[derive(Debug)]
pub(crate) struct Place {
    kind: Kind,
    loaded: HashMap<FileIdentity, Described>,
    /// The plugins that were asked anything since the child started: the code of each may have changed it, also of one
    /// that was refused.
    asked: HashSet<FileIdentity>,
    /// Whether any of them was given task data.
    had_task_data: bool,
}

#[derive(Debug)]
enum Kind {
    Child {
        program: HostProgram,
        process: Option<Box<HostProcess>>,
        /// The room that it is confined to, where it is.
        room: Option<Room>,
    },
    Here(Box<PluginHost>),
}

impl Place {
    /// A child process of that program.
    pub(crate) fn child(program: HostProgram) -> Self {
        Self::of(Kind::Child {
            program,
            process: None,
            room: None,
        })
    }

    /// This process.
    pub(crate) fn here() -> Self {
        Self::of(Kind::Here(Box::new(PluginHost::new())))
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            loaded: HashMap::new(),
            asked: HashSet::new(),
            had_task_data: false,
        }
    }

    /// What a plugin that is loaded said of itself.
    pub(crate) fn loaded(&self, file: FileIdentity) -> Option<&Described> {
        self.loaded.get(&file)
    }

    /// Whether the child may be what another plugin has made of it.
    pub(crate) fn has_others_than(&self, file: FileIdentity) -> bool {
        !self.is_here() && self.asked.iter().any(|asked| *asked != file)
    }

    /// Whether a request may be to blame for what becomes of the child.
    pub(crate) fn had_task_data(&self) -> bool {
        self.had_task_data
    }

    /// Whether it is this process, which cannot be ended and started anew.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self.kind, Kind::Here(_))
    }

    /// Whether a child has less of the machine than the plugins in it may expect.
    pub(crate) fn is_confined(&self) -> bool {
        matches!(self.kind, Kind::Child { room: Some(_), .. })
    }

    /// Notes that a plugin is loaded.
    pub(crate) fn has_loaded(&mut self, file: FileIdentity, described: Described) {
        self.loaded.insert(file, described);
    }

    /// Puts a question. A child that does not answer it in time is ended.
    pub(crate) fn put(
        &mut self,
        question: Question,
        limit: Duration,
        abort: &Abort,
    ) -> Result<Answer, Failure> {
        self.asked.extend(question.plugin());
        self.had_task_data |= question.has_task_data();
        if let Kind::Here(host) = &mut self.kind {
            let server: Arc<dyn Server> = Arc::new(NoServer);
            return Ok(host.answer(question, abort, &server));
        }
        let until = later(Instant::now(), limit);
        let answered = self
            .ready(until, abort)
            .and_then(|process| ask(process, question, until, abort));
        if answered.is_err() {
            self.close();
        }
        answered.map_err(|failure| match failure {
            Failure::Hung { .. } => Failure::Hung { after: limit },
            other => other,
        })
    }

    /// The child that runs, or a new one, which has shown that it can answer. Before it has run any plugin's code no plugin
    /// is to blame for its end.
    fn ready(&mut self, until: Instant, abort: &Abort) -> Result<&mut HostProcess, Failure> {
        let is_new = matches!(self.kind, Kind::Child { process: None, .. });
        let process = self.process()?;
        if is_new {
            ask(process, Question::Ready, until, abort).map_err(Failure::before_any_plugin)?;
        }
        Ok(process)
    }

    /// The child that runs, or a new one.
    pub(crate) fn process(&mut self) -> Result<&mut HostProcess, Failure> {
        let Kind::Child {
            program,
            process,
            room,
        } = &mut self.kind
        else {
            return Err(Failure::NoHost("plugins run in this process".to_owned()));
        };
        let running = match process.take() {
            Some(running) => running,
            None => HostProcess::start(program, log::Level::Debug, room.as_ref())
                .map(Box::new)
                .map_err(|error| Failure::NoHost(error.to_string()))?,
        };
        Ok(process.insert(running))
    }

    /// The host in this process, where plugin code runs here.
    pub(crate) fn in_process(&mut self) -> Option<&mut PluginHost> {
        match &mut self.kind {
            Kind::Here(host) => Some(host),
            Kind::Child { .. } => None,
        }
    }

    /// From now on a child is confined to that room, or not confined. This process stays as it is.
    pub(crate) fn confine(&mut self, to: Option<Room>) {
        let Kind::Child { room, .. } = &mut self.kind else {
            return;
        };
        // It cannot be confined once plugin code has run in it, nor be let go.
        let stays = room.is_none() && to.is_none();
        *room = to;
        if !stays {
            self.close();
        }
    }

    /// Ends the child, with whatever runs in it.
    pub(crate) fn close(&mut self) {
        if let Kind::Child { process, .. } = &mut self.kind {
            *process = None;
            self.loaded.clear();
            self.asked.clear();
            self.had_task_data = false;
        }
    }
}
