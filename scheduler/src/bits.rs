//! Sets of workers' classes, a bit for each.

use crate::fleet::ClassId;

/// How many classes a word is about.
const WIDTH: usize = 64;

/// A set of workers' classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn insert(&mut self, class: ClassId) {
        let (word, bit) = place(class);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(crate) fn remove(&mut self, class: ClassId) {
        let (word, bit) = place(class);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, class: ClassId) -> bool {
        let (word, bit) = place(class);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Its classes, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ClassId> {
        let words = self.0.iter().enumerate();
        words.flat_map(|(at, word)| members(at, *word))
    }

    /// Keeps those of which `known` says yes, or else `ask` does, which is noted there.
    pub(crate) fn narrow(&mut self, known: &mut Answers, mut ask: impl FnMut(ClassId) -> bool) {
        for (at, word) in self.0.iter_mut().enumerate() {
            let answer = known.word(at);
            for class in members(at, *word & !answer.given) {
                answer.yes |= if ask(class) { place(class).1 } else { 0 };
            }
            answer.given |= *word;
            *word &= answer.yes;
        }
    }
}

/// What was answered to one question, of each class that it was asked of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// Most fleets have no more classes than these are about, which need no memory elsewhere.
    first: Answer,
    others: Vec<Answer>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    given: u64,
    yes: u64,
}

impl Answers {
    /// The answer of that class, which is `ask`'s where none is known yet.
    pub(crate) fn of(&mut self, class: ClassId, ask: impl FnOnce() -> bool) -> bool {
        let (word, bit) = place(class);
        let answer = self.word(word);
        if answer.given & bit == 0 {
            answer.given |= bit;
            answer.yes |= if ask() { bit } else { 0 };
        }
        answer.yes & bit != 0
    }

    /// Forgets what was answered of that class, which is another from now on.
    pub(crate) fn forget(&mut self, class: ClassId) {
        let (word, bit) = place(class);
        if word > self.others.len() {
            return;
        }
        let answer = self.word(word);
        answer.given &= !bit;
        answer.yes &= !bit;
    }

    fn word(&mut self, at: usize) -> &mut Answer {
        let Some(at) = at.checked_sub(1) else {
            return &mut self.first;
        };
        if self.others.len() <= at {
            self.others.resize(at + 1, Answer::default());
        }
        &mut self.others[at]
    }
}

fn place(class: ClassId) -> (usize, u64) {
    (class.0 / WIDTH, 1 << (class.0 % WIDTH))
}

/// The classes that the bits of a word stand for.
fn members(at: usize, mut word: u64) -> impl Iterator<Item = ClassId> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(ClassId(at * WIDTH + bit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(classes: &[usize]) -> Bits {
        let mut bits = Bits::default();
        for class in classes {
            bits.insert(ClassId(*class));
        }
        bits
    }

    #[test]
    fn holds_what_was_put_in() {
        let mut set = bits(&[0, 63, 64, 200]);
        assert_eq!(
            set.iter().map(|class| class.0).collect::<Vec<_>>(),
            [0, 63, 64, 200]
        );
        set.remove(ClassId(63));
        set.remove(ClassId(1000));
        assert!(
            !set.contains(ClassId(63)) && set.contains(ClassId(64)) && !set.contains(ClassId(1000))
        );
        for class in [0, 64, 200] {
            assert!(!set.is_empty());
            set.remove(ClassId(class));
        }
        assert!(set.is_empty());
    }

    #[test]
    fn each_class_is_asked_once_until_it_is_forgotten() {
        let mut known = Answers::default();
        let asked = |known: &mut Answers, classes: &[usize]| {
            let (mut set, mut asked) = (bits(classes), Vec::new());
            set.narrow(known, |class| {
                asked.push(class.0);
                class.0 % 2 == 0
            });
            assert!(
                set.iter().eq(classes
                    .iter()
                    .filter(|at| *at % 2 == 0)
                    .map(|at| ClassId(*at)))
            );
            asked
        };
        assert_eq!(asked(&mut known, &[1, 2, 100]), [1, 2, 100]);
        assert_eq!(asked(&mut known, &[1, 2, 3, 100, 101]), [3, 101]);
        assert!(known.of(ClassId(100), || false));
        assert!(known.of(ClassId(500), || true) && known.of(ClassId(500), || false));
        known.forget(ClassId(100));
        known.forget(ClassId(9999));
        assert!(!known.of(ClassId(100), || false));
    }
}
