//! What is typed to a firmware and what it has to answer, as a text file:
//!
//! ```text
//! # a comment
//! < a line that comes next; * stands for anything
//! > a line to type
//! < ...
//! < a line that comes after any number of others
//! ```
//!
//! Without `...` the next line is the very next one, and after the last one nothing comes.

use crate::Result;

/// One step of a dialogue.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Type this line.
    Type(String),
    /// The next line matches this pattern.
    Hear(String),
    /// Pass over lines until the next one that is to be heard, or the end.
    PassOver,
}

/// Reads a dialogue; `name` is the file's, for complaints.
pub fn parse(name: &str, text: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        // An empty line is heard or typed as a bare `<` or `>`, since editors strip the space.
        let words =
            |mark| line.strip_prefix(mark).map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
        if line.is_empty() || line.starts_with('#') {
            continue;
        } else if let Some(typed) = words('>') {
            steps.push(Step::Type(typed.into()));
        } else if let Some(heard) = words('<') {
            let pass = heard == "...";
            steps.push(if pass { Step::PassOver } else { Step::Hear(heard.into()) });
        } else {
            return Err(format!(
                "{name}:{number}: a line begins with `<`, `>` or `#`, not `{line}`"
            ));
        }
    }
    Ok(steps)
}

/// Whether `line` is `pattern`, in which each `*` stands for any text.
pub fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| matches(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_is_typed_and_heard() {
        let text = "# greeting\n< hello from *\n\n> status\n< ...\n>\n<\n";
        let expected = [
            Step::Hear("hello from *".into()),
            Step::Type("status".into()),
            Step::PassOver,
            Step::Type(String::new()),
            Step::Hear(String::new()),
        ];
        assert_eq!(parse("greeting.txt", text), Ok(expected.into()));
    }

    #[test]
    fn a_line_that_is_neither_is_refused_by_its_number() {
        let complaint = parse("greeting.txt", "< a\nb\n").unwrap_err();
        assert!(complaint.starts_with("greeting.txt:2:"), "{complaint}");
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, line) in [
            ("", ""),
            ("*", ""),
            ("*", "a"),
            ("t=* ms", "t=12 ms"),
            ("*a*b", "xaxbb"),
            ("ä*", "äö"),
        ] {
            assert!(matches(pattern, line), "{pattern:?} should match {line:?}");
        }
        for (pattern, line) in
            [("", "a"), ("a", "ab"), ("a*", "ba"), ("t=* ms", "t=12 s"), ("*a*b", "ba")]
        {
            assert!(!matches(pattern, line), "{pattern:?} should not match {line:?}");
        }
    }
}
