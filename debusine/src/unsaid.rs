//! What the data of a request leaves unsaid, and its server takes for said.

use crate::dialect::Dialect;
use serde_json::Value;

/// What 0.16.2 takes for said in the place of what 0.11.3 does, and plugins do.
const LATER: [(&str, &str, &str); 1] = [("lintian", "fail_on_severity", "error")];

/// Says it: where a later server means another thing by silence, and who rebuilds a package where the request names nobody,
/// which a server decides by its own address.
pub(crate) fn say(dialect: Dialect, task: &str, data: &mut Value, dynamic: &Value) {
    let Value::Object(data) = data else {
        return;
    };
    if dialect == Dialect::Scoped {
        for (_, key, value) in LATER.iter().filter(|(of, ..)| *of == task) {
            data.entry(*key).or_insert_with(|| Value::from(*value));
        }
    }
    let maintainer = &dynamic["binnmu_maintainer"];
    if let ("sbuild", Some(Value::Object(binnmu)), true) =
        (task, data.get_mut("binnmu"), maintainer.is_string())
    {
        let said = binnmu.entry("maintainer").or_insert(Value::Null);
        if said.is_null() {
            *said = maintainer.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(dialect: Dialect, task: &str, data: Value) -> Value {
        let mut said = data;
        let dynamic = json!({"binnmu_maintainer": "Debusine <noreply@localhost>"});
        say(dialect, task, &mut said, &dynamic);
        said
    }

    #[test]
    fn silence_means_what_the_server_says() {
        let (error, none) = (
            json!({"fail_on_severity": "error"}),
            json!({"fail_on_severity": "none"}),
        );
        for (dialect, task, data, wanted) in [
            (Dialect::Scoped, "lintian", json!({}), &error),
            (Dialect::Scoped, "lintian", none.clone(), &none),
            (Dialect::Plain, "lintian", json!({}), &json!({})),
            (Dialect::Scoped, "blhc", json!({}), &json!({})),
            (Dialect::Scoped, "lintian", json!([1]), &json!([1])),
        ] {
            assert_eq!(said(dialect, task, data), *wanted, "{dialect:?} {task}");
        }
    }

    #[test]
    fn somebody_rebuilds_a_package() {
        let maintainer = |task: &str, binnmu: Value| {
            let data = json!({"binnmu": binnmu});
            said(Dialect::Plain, task, data)["binnmu"]["maintainer"].clone()
        };
        let server = "Debusine <noreply@localhost>";
        assert_eq!(maintainer("sbuild", json!({})), server);
        assert_eq!(maintainer("sbuild", json!({"maintainer": null})), server);
        assert_eq!(
            maintainer("sbuild", json!({"maintainer": "A <a@b>"})),
            "A <a@b>"
        );
        assert_eq!(maintainer("other", json!({})), Value::Null);
        assert_eq!(
            said(Dialect::Plain, "sbuild", json!({"binnmu": null})),
            json!({"binnmu": null})
        );
        let mut alone = json!({"binnmu": {}});
        say(Dialect::Plain, "sbuild", &mut alone, &Value::Null);
        assert_eq!(alone, json!({"binnmu": {}}));
    }
}
