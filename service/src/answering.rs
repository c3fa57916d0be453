//! Answers for a scheduler of another make: it asks about tasks in lines of JSON, and decides by what it is told.

mod answer;
mod question;
mod remembered;

use self::{
    answer::{Answer, Refused, Tasks, Valid},
    question::{Question, WorkerAsked},
    remembered::{Remembered, Told},
};
use crate::Plugins;
use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use taskbay_core::Metadata;
use taskbay_loader::Entry;
use taskbay_scheduler::{Explanation, Scheduler, verdict};
use taskbay_worker::{Hosts, LiveCatalog, Unmatchable, WorkerAnalysis};

/// How often those plugins are asked again that died or hung again and again, although none changed: each time may cost
/// whoever asks the time that they have to answer.
const FORGET_EVERY: Duration = Duration::from_mins(10);

/// Answers questions about the plugins that are watched: which tasks there are, whether data is valid, who may execute it.
///
/// A plugin that fails is an answer, too: a reason why not.
pub struct Answering<'m> {
    live: LiveCatalog,
    make_hosts: Box<dyn Fn() -> Hosts + 'm>,
    plugins: Plugins,
    remembered: Remembered,
    /// How often the tasks have changed.
    generation: u64,
    forgets_at: Instant,
}

/// In milliseconds.
fn since_1970() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.as_millis().try_into().unwrap_or(1))
}

impl fmt::Debug for Answering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering")
            .field("live", &self.live)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl<'m> Answering<'m> {
    /// Answers about the plugins that are watched, which are asked in these hosts.
    pub fn new(mut live: LiveCatalog, make_hosts: impl Fn() -> Hosts + 'm) -> Self {
        live.look();
        Self {
            plugins: Plugins::new(make_hosts(), live.current_catalog()),
            make_hosts: Box::new(make_hosts),
            remembered: Remembered::default(),
            // Another process's is another one's.
            generation: since_1970(),
            forgets_at: Instant::now() + FORGET_EVERY,
            live,
        }
    }

    /// The answer to a line with a question: a line, without its end. Whatever is wrong with the question is one, too.
    pub fn answer(&mut self, line: &str) -> String {
        self.renew();
        let answer = match serde_json::from_str(line) {
            Ok(question) => self.to(&question),
            Err(error) => Err(Refused::question(&error)),
        };
        Answer::from(answer).line()
    }

    /// Takes in that plugins came, went or were replaced, and that it is time to ask those again that failed.
    fn renew(&mut self) {
        let now = Instant::now();
        if !self.live.wait(Duration::ZERO).is_empty() {
            self.plugins = Plugins::new((self.make_hosts)(), self.live.current_catalog());
            self.generation += 1;
        } else if now >= self.forgets_at {
            let catalog = self.live.current_catalog();
            self.plugins.forget_failed(catalog, |_| true);
        } else {
            return;
        }
        self.remembered.clear();
        self.forgets_at = now + FORGET_EVERY;
    }

    fn to(&mut self, question: &Question<'_>) -> Result<Answer, Refused> {
        match question {
            Question::Tasks { known } => Ok(Answer::Tasks(self.tasks(*known))),
            Question::Schema { task } => self.schema(task),
            Question::Configure { task, data } => self.configure(task, data.get()),
            Question::CanRun { task, data, worker } => self.can_run(task, data.get(), worker),
            Question::Explain {
                task,
                data,
                workers,
            } => self.explain(task, data.get(), workers),
            Question::Analyze {} => self.analyze(),
        }
    }

    /// The plugin files, unless whoever asks knows them as they are.
    fn tasks(&self, known: Option<u64>) -> Tasks {
        let is_known = known == Some(self.generation);
        let rows = || {
            let entries = self.live.catalog().entries.iter();
            entries.map(Entry::row).collect()
        };
        Tasks {
            schema: "taskbay.answer/1",
            generation: self.generation,
            files: (!is_known).then(rows),
        }
    }

    fn schema(&mut self, task: &str) -> Result<Answer, Refused> {
        let described = self.plugins.describe(task)?;
        Ok(Answer::Schema {
            version: described.version,
            schema: described.schema,
        })
    }

    fn configure(&mut self, task: &str, data: &str) -> Result<Answer, Refused> {
        let told = self.told(task, data)?;
        Ok(Answer::Valid(Valid::new(
            &told.task,
            told.label.as_deref(),
        )?))
    }

    fn can_run(&mut self, task: &str, data: &str, worker: &Metadata) -> Result<Answer, Refused> {
        let task = match self.told(task, data) {
            Ok(told) => told.task.clone(),
            Err(error @ Unmatchable::NotAsked(_)) => return Err(error.into()),
            Err(error) => return Ok(Answer::verdict(vec![error.reason()])),
        };
        let verdict = verdict(&task, worker, &mut self.plugins)?;
        Ok(Answer::verdict(verdict.reasons))
    }

    fn explain(
        &mut self,
        task: &str,
        data: &str,
        workers: &[WorkerAsked],
    ) -> Result<Answer, Refused> {
        let task = match self.told(task, data) {
            Ok(told) => told.task.clone(),
            Err(error @ Unmatchable::NotAsked(_)) => return Err(error.into()),
            Err(error) => return Ok(Explanation::refused(error.reason()).into()),
        };
        let mut scheduler = Scheduler::default();
        for worker in workers {
            scheduler.set_worker(worker.worker());
        }
        let signature = scheduler.add_task(task);
        let explained = scheduler.explain(signature, &mut self.plugins)?;
        explained.map(Into::into).ok_or_else(Refused::lost)
    }

    /// What this machine's metadata would be, were it a worker.
    fn analyze(&mut self) -> Result<Answer, Refused> {
        let mut hosts = (self.make_hosts)();
        let analysis = WorkerAnalysis::of_this_machine(&mut hosts, self.live.tasks())
            .map_err(Unmatchable::NotAsked)?;
        Ok(Answer::Metadata(analysis.metadata))
    }

    /// What the plugin says of the data, asked once as long as it stays the same.
    fn told(&mut self, task: &str, data: &str) -> Result<&Told, Unmatchable> {
        let plugins = &mut self.plugins;
        self.remembered.or_ask(task, data, || {
            let (task, declared) = plugins.configure_whole(task, data)?;
            Ok(Told {
                task,
                label: declared.label,
            })
        })
    }
}
