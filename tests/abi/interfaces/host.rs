//! A host of the newer interface: says of each plugin what the newer parts of its interface answer.

use serde_json::json;
use std::{env, path::PathBuf, process::exit};
use taskbay_core::{Abort, Context};
use taskbay_loader::{Loader, SearchPath, State, Store, TrustPolicy, scan};

fn main() {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(plugins), Some(here)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: host <directory of plugins> <directory to work in>");
        exit(2);
    };
    let loader = Loader::new(Store::in_directory(here.join("copies")));
    let scanned = scan(
        &SearchPath::only([plugins]),
        TrustPolicy::OwnerOnly,
        &loader,
    );
    for entry in &scanned.catalog.entries {
        if let State::Rejected(_) = &entry.state {
            println!("{}", json!(entry.row()));
        }
    }
    for name in scanned.registry.names() {
        let plugin = scanned.registry.get(name).unwrap();
        let task = plugin.configure("{}").unwrap();
        let context = Context::new(&here, Abort::new());
        println!(
            "{}",
            json!({
                "name": name,
                "properties": plugin.schema().map(|schema| &schema["properties"]),
                "about": plugin.about(),
                "estimate": task.estimate().unwrap(),
                "data": task.data(),
                "executed": task.execute(&context).unwrap().unwrap(),
            })
        );
    }
}
