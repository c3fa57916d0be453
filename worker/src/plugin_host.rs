//! The inside of a plugin host: it loads plugins, and answers questions about them.

use crate::protocol::{Answer, Question};
use std::{
    collections::{BTreeMap, HashMap},
    env,
    ffi::OsString,
    path::Path,
    sync::Arc,
};
use taskbay_core::{Abort, Configured, Context, Metadata, Server, Verdict};
use taskbay_loader::{ConfigureError, FileIdentity, LoadError, Loader, Plugin, Rejection, Store};
use taskbay_plugin_api::host::Fault;

/// Plugins in this process, and what can be asked of them.
#[derive(Debug)]
pub(crate) struct PluginHost {
    loader: Loader,
    plugins: HashMap<FileIdentity, Plugin>,
}

impl PluginHost {
    pub(crate) fn new() -> Self {
        Self {
            loader: Loader::new(Store::of_this_user()),
            plugins: HashMap::new(),
        }
    }

    /// Answers a question. Executions stop at `abort`, and take artifacts from and give them to `server`.
    pub(crate) fn answer(
        &mut self,
        question: Question,
        abort: &Abort,
        server: &Arc<dyn Server>,
    ) -> Answer {
        match question {
            Question::Ready => Answer::Ready {
                environment: environment(),
            },
            Question::Load {
                file,
                identity,
                checked,
            } => self.load(&file, identity, checked),
            Question::Analyze { plugin, known } => {
                self.ask(plugin, |plugin| analyze(plugin, &known))
            }
            Question::Configure { plugin, data } => {
                self.ask(plugin, |plugin| configure(plugin, &data))
            }
            Question::CanRun {
                plugin,
                data,
                worker,
            } => self.ask(plugin, |plugin| can_run(plugin, &data, worker)),
            Question::OwnCode {
                plugin,
                data,
                worker,
            } => self.ask(plugin, |plugin| own_code(plugin, &data, worker)),
            Question::Execute {
                plugin,
                data,
                work_directory,
            } => {
                let context =
                    Context::new(work_directory, abort.clone()).with_server(Arc::clone(server));
                self.ask(plugin, |plugin| execute(plugin, &data, &context))
            }
        }
    }

    fn load(&mut self, file: &Path, identity: FileIdentity, checked: bool) -> Answer {
        let loader = &self.loader;
        let opened = loader.admit(file, identity).and_then(|admissible| {
            // A host of the same parent has found the schema good.
            if checked {
                Ok(loader.load_lazily(&admissible)?)
            } else {
                Ok(loader.load(&admissible)?)
            }
        });
        match opened {
            Ok(plugin) => {
                let answer = Answer::Loaded {
                    version: plugin.version(),
                    schema: plugin.schema().map(ToString::to_string),
                };
                self.plugins.insert(identity, plugin);
                answer
            }
            Err(rejection) => Answer::Rejected {
                reason: rejection.to_string(),
                help: rejection.help(),
                details: rejection.details().map(ToOwned::to_owned),
                missing: rejection.missing_library().map(ToOwned::to_owned),
                panicked: matches!(
                    rejection,
                    Rejection::Load(LoadError::Describe(Fault::Panic { .. }))
                ),
            },
        }
    }

    fn ask(
        &self,
        plugin: FileIdentity,
        question: impl FnOnce(&Plugin) -> Result<Answer, Answer>,
    ) -> Answer {
        match self.plugins.get(&plugin) {
            Some(plugin) => question(plugin).unwrap_or_else(|answer| answer),
            None => Answer::Failed(failed("the plugin was not loaded before it was asked")),
        }
    }
}

fn environment() -> BTreeMap<String, String> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables = env::vars_os();
    variables
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn analyze(plugin: &Plugin, known: &Metadata) -> Result<Answer, Answer> {
    let analysis = plugin.analyze(known).map_err(Answer::Failed)?;
    Ok(Answer::Analyzed {
        metadata: analysis.metadata,
        dropped: analysis.dropped,
    })
}

fn configure(plugin: &Plugin, data: &str) -> Result<Answer, Answer> {
    let task = plugin.configure(data).map_err(invalid)?;
    Ok(Answer::Configured(Configured {
        data: task.data().to_owned(),
        requirements: task.requirements().to_vec(),
        own_code: task.own_code().map_err(Answer::Failed)?,
        declared: task.declared().map_err(Answer::Failed)?,
    }))
}

fn can_run(plugin: &Plugin, data: &str, worker: Metadata) -> Result<Answer, Answer> {
    let task = plugin.configure_checked(data).map_err(invalid)?;
    Ok(Answer::Verdict(
        task.verdict(&plugin.worker(Arc::new(worker))),
    ))
}

fn own_code(plugin: &Plugin, data: &str, worker: Metadata) -> Result<Answer, Answer> {
    let task = plugin.configure_checked(data).map_err(invalid)?;
    let reasons = task.own_reasons(&plugin.worker(Arc::new(worker)));
    Ok(Answer::Verdict(Verdict { reasons }))
}

fn execute(plugin: &Plugin, data: &str, context: &Context) -> Result<Answer, Answer> {
    let task = plugin.configure_checked(data).map_err(invalid)?;
    let executed = task.execute(context).transpose().map_err(Answer::Failed)?;
    Ok(Answer::Executed(executed))
}

fn invalid(error: ConfigureError) -> Answer {
    match error {
        ConfigureError::Invalid(errors) => Answer::Invalid(errors),
        ConfigureError::Plugin(fault) => Answer::Failed(fault),
        ConfigureError::Schema(error) => Answer::Failed(failed(&error)),
    }
}

fn failed(message: &(impl ToString + ?Sized)) -> Fault {
    Fault::Failed {
        message: message.to_string(),
    }
}
