//! The tests of one file, as they are made.

use crate::{
    Level, Status, Test,
    test::{Objection, Tried},
};
use std::time::Instant;
use taskbay_worker::Failure;

/// The tests of one file, as they are made.
#[derive(Debug)]
pub(crate) struct Record {
    up_to: Level,
    level: Level,
    tests: Vec<Test>,
    /// The last test that did not pass.
    in_the_way: Option<&'static str>,
    /// Why nothing can be tried any more.
    broken: Option<Failure>,
}

impl Record {
    pub(crate) fn new(up_to: Level) -> Self {
        Self {
            up_to,
            level: Level::Static,
            tests: Vec::new(),
            in_the_way: None,
            broken: None,
        }
    }

    /// Makes the tests of a level, unless that is too high, with what the levels below it found out. Those that are not
    /// made are skipped, naming the one that stands in the way.
    pub(crate) fn level<T, U>(
        &mut self,
        level: Level,
        names: &[&'static str],
        given: Option<T>,
        tests: impl FnOnce(T, &mut Self) -> Option<U>,
    ) -> Option<U> {
        if level > self.up_to {
            return None;
        }
        self.level = level;
        let found = given.and_then(|given| tests(given, self));
        let why = self.in_the_way.map_or_else(String::new, |name| {
            format!("not tried, since `{name}` did not pass")
        });
        for name in names {
            let is_made = |test: &Test| test.level == level && test.name == *name;
            if !self.tests.iter().any(is_made) {
                self.tests.push(Test::not_made(level, name, why.clone()));
            }
        }
        found
    }

    /// Makes a test; what it found out if it passed.
    pub(crate) fn test<T>(
        &mut self,
        name: &'static str,
        test: impl FnOnce() -> Tried<T>,
    ) -> Option<T> {
        if self.broken.is_some() {
            return None;
        }
        let started = Instant::now();
        let tried = test();
        let duration = started.elapsed();
        let (status, said, value) = match tried {
            Ok(found) => {
                let said = (found.message, String::new());
                (Status::Passed, said, Some(found.value))
            }
            Err(Objection::Fault { message, help }) => (Status::Failed, (message, help), None),
            Err(Objection::Skip { message, help }) => (Status::Skipped, (message, help), None),
            Err(Objection::Broken(failure)) => {
                self.broken = Some(failure);
                return None;
            }
        };
        if value.is_none() {
            self.in_the_way = Some(name);
        }
        let test = Test::new(self.level, name, status, said, duration);
        self.tests.push(test);
        value
    }

    /// Whether that test was made, and failed.
    pub(crate) fn has_failed(&self, name: &str) -> bool {
        let failed = |test: &Test| test.name == name && test.status == Status::Failed;
        self.tests.iter().any(failed)
    }

    /// That test is the reason why those of the next level are not made.
    pub(crate) fn stands_in_the_way(&mut self, name: &'static str) {
        self.in_the_way = Some(name);
    }

    /// All the tests.
    ///
    /// # Errors
    ///
    /// Why not all could be made, for which the plugin is not to blame.
    pub(crate) fn finish(self) -> Result<Vec<Test>, Failure> {
        match self.broken {
            Some(failure) => Err(failure),
            None => Ok(self.tests),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{fault, found, passed};

    #[test]
    fn what_does_not_pass_stands_in_the_way_of_the_rest() {
        let mut record = Record::new(Level::Answers);
        let one = record.level(Level::Static, &["a"], Some(()), |(), record| {
            record.test("a", || found(1, "fine"))
        });
        let two = record.level(Level::Loads, &["b", "c"], one, |one, record| {
            assert_eq!(one, 1);
            record.test("b", || fault::<crate::test::Found<()>>("bad", "mend it"))
        });
        let three = record.level(Level::Answers, &["d"], two, |(), record| {
            record.test("d", || passed(""))
        });
        let four = record.level(Level::Executes, &["e"], three, |(), _| Some(()));
        assert_eq!(four, None);
        let tests = record.finish().unwrap();
        let said: Vec<_> = tests
            .iter()
            .map(|test| {
                (
                    test.name,
                    test.status,
                    test.message.as_deref().unwrap_or(""),
                )
            })
            .collect();
        let not_tried = "not tried, since `b` did not pass";
        assert_eq!(
            said,
            [
                ("a", Status::Passed, "fine"),
                ("b", Status::Failed, "bad"),
                ("c", Status::Skipped, not_tried),
                ("d", Status::Skipped, not_tried),
            ]
        );
    }

    #[test]
    fn what_the_plugin_is_not_to_blame_for_ends_it() {
        let mut record = Record::new(Level::Static);
        record.test::<()>("a", || Err(Objection::Broken(Failure::Interrupted)));
        assert_eq!(record.test("b", || passed("")), None);
        assert!(matches!(record.finish(), Err(Failure::Interrupted)));
    }
}
