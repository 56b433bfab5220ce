//! One run of a program that is typed to and listened to, and that can never hang us.
//!
//! Threads read what it says, so that every wait here has an end; dropping the session ends the
//! program.

use std::fmt;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::dialogue::{Step, matches};

/// How long an answer may take. A loaded host with two cores needs a fraction of it.
const ANSWER: Duration = Duration::from_secs(30);

/// How long a whole session may take.
const SESSION: Duration = Duration::from_secs(120);

/// How much it may say, in bytes.
const TOO_MUCH: usize = 1 << 20;

/// How long a program that went wrong may go on.
const AFTERTHOUGHT: Duration = Duration::from_secs(1);

/// How a session went: what was said, in the form of a dialogue, and what was wrong with it.
#[derive(Debug)]
pub struct Outcome {
    pub transcript: String,
    pub result: Result<(), String>,
}

/// Runs `command`, talks to it as `dialogue` says and wants it to end with code `exit`.
pub fn hold(command: &mut Command, dialogue: &[Step], exit: i32) -> Outcome {
    let mut session = match Session::start(command) {
        Ok(session) => session,
        Err(error) => {
            let result = Err(format!("{} did not start: {error}", command.get_program().display()));
            return Outcome { transcript: String::new(), result };
        }
    };
    let result = session.follow(dialogue).and_then(|()| session.ends_with(exit));
    if result.is_err() {
        session.hear_out();
    }
    let mut transcript = std::mem::take(&mut session.transcript);
    for complaint in session.close().lines() {
        transcript.push_str(&format!("# {complaint}\n"));
    }
    Outcome { transcript, result }
}

struct Session {
    child: Child,
    keyboard: ChildStdin,
    /// What the program says, in pieces as they come; closed when it has ended.
    pieces: Receiver<Vec<u8>>,
    /// What has come and is no whole line yet.
    partial: Vec<u8>,
    complaints: Option<JoinHandle<String>>,
    transcript: String,
    end: Instant,
}

/// Why there is no next line.
enum NoLine {
    /// It ended.
    Ended,
    /// It says nothing, or talks for ever.
    OutOfPatience,
}

impl Session {
    fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let missing = || io::Error::other("it has no pipes");
        let keyboard = child.stdin.take().ok_or_else(missing)?;
        let mut output = child.stdout.take().ok_or_else(missing)?;
        let mut errors = child.stderr.take().ok_or_else(missing)?;

        let (sender, pieces) = mpsc::sync_channel(16);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Self {
            child,
            keyboard,
            pieces,
            partial: Vec::new(),
            complaints: Some(complaints),
            transcript: String::new(),
            end: Instant::now() + SESSION,
        })
    }

    fn follow(&mut self, dialogue: &[Step]) -> Result<(), String> {
        let mut pass_over = false;
        for step in dialogue {
            match step {
                Step::PassOver => pass_over = true,
                Step::Type(line) => self.type_line(line)?,
                Step::Hear(pattern) => {
                    self.hear(pattern, pass_over)?;
                    pass_over = false;
                }
            }
        }
        loop {
            match self.next_line() {
                Err(NoLine::Ended) => return Ok(()),
                Err(NoLine::OutOfPatience) => return Err("it does not end".into()),
                Ok(line) if !pass_over => return Err(format!("expected no more, and got: {line}")),
                Ok(_) => {}
            }
        }
    }

    fn hear(&mut self, pattern: &str, pass_over: bool) -> Result<(), String> {
        loop {
            match self.next_line() {
                Ok(line) if matches(pattern, &line) => return Ok(()),
                Ok(_) if pass_over => {}
                Ok(line) => return Err(format!("expected: {pattern}\n       got: {line}")),
                Err(NoLine::Ended) => return Err(format!("expected: {pattern}\n  but it ended")),
                Err(NoLine::OutOfPatience) => {
                    let got = String::from_utf8_lossy(&self.partial);
                    let got = if got.is_empty() { "nothing".into() } else { got };
                    return Err(format!("expected: {pattern}\n       got: {got}, and no more"));
                }
            }
        }
    }

    /// Lets the program say what else it has to say: mostly, why it went wrong.
    fn hear_out(&mut self) {
        self.end = Instant::now() + AFTERTHOUGHT;
        while self.next_line().is_ok() {}
    }

    fn type_line(&mut self, line: &str) -> Result<(), String> {
        self.transcript.push_str(&format!("> {line}\n"));
        writeln!(self.keyboard, "{line}")
            .and_then(|()| self.keyboard.flush())
            .map_err(|error| format!("`{line}` could not be typed: {error}"))
    }

    /// The next whole line, or the rest at the end.
    fn next_line(&mut self) -> Result<String, NoLine> {
        let patience = (Instant::now() + ANSWER).min(self.end);
        loop {
            if Instant::now() >= patience || self.transcript.len() > TOO_MUCH {
                return Err(NoLine::OutOfPatience);
            }
            if let Some(at) = self.partial.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.partial.drain(..=at).collect();
                return Ok(self.heard(&line));
            }
            let left = patience.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.partial.extend(piece),
                Err(RecvTimeoutError::Timeout) => return Err(NoLine::OutOfPatience),
                Err(RecvTimeoutError::Disconnected) if self.partial.is_empty() => {
                    return Err(NoLine::Ended);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let line = std::mem::take(&mut self.partial);
                    return Ok(self.heard(&line));
                }
            }
        }
    }

    fn heard(&mut self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        self.transcript.push_str(&format!("< {line}\n"));
        line
    }

    /// Waits for the program's end, which closed its output already.
    fn ends_with(&mut self, exit: i32) -> Result<(), String> {
        let patience = Instant::now() + ANSWER;
        while Instant::now() < patience {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Ok(Some(status)) if status.code() == Some(exit) => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!("expected exit code {exit}, got {}", Ended(status)));
                }
                Err(error) => return Err(format!("its end cannot be seen: {error}")),
            }
        }
        Err("it closed its output, but does not end".into())
    }

    /// Ends the program if need be and returns what it complained of.
    fn close(mut self) -> String {
        _ = self.child.kill();
        self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

struct Ended(ExitStatus);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code() {
            Some(code) => write!(f, "{code}"),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::parse;

    fn shell(script: &str, dialogue: &str, exit: i32) -> Outcome {
        let dialogue = parse("test", dialogue).expect("a dialogue");
        hold(Command::new("sh").args(["-c", script]), &dialogue, exit)
    }

    const ECHO: &str = "echo ready; read line; echo noise; echo \"got $line\"; exit 3";

    #[test]
    fn a_program_is_typed_to_and_listened_to() {
        let outcome = shell(ECHO, "< ready\n> hi\n< ...\n< got *i\n", 3);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.transcript, "< ready\n> hi\n< noise\n< got hi\n");
    }

    #[test]
    fn anything_else_is_a_failure() {
        let failures = [
            ("< ready\n> hi\n< got hi\n", 3, "got: noise"),
            ("< ready\n> hi\n< noise\n", 3, "expected no more"),
            ("< ready\n> hi\n< ...\n< got ho\n", 3, "but it ended"),
            ("< ready\n> hi\n< ...\n", 0, "expected exit code 0, got 3"),
        ];
        for (dialogue, exit, complaint) in failures {
            let result = shell(ECHO, dialogue, exit).result.unwrap_err();
            assert!(result.contains(complaint), "{result}");
        }
    }

    #[test]
    fn a_program_that_talks_for_ever_is_ended() {
        let result = shell("exec yes", "< ...\n< no\n", 0).result.unwrap_err();
        assert!(result.contains("and no more"), "{result}");
        let result = shell("exec yes", "< y\n< ...\n", 0).result.unwrap_err();
        assert!(result.contains("does not end"), "{result}");
    }

    #[test]
    fn what_it_complains_of_stands_in_the_transcript() {
        let outcome = shell("echo out; echo oops >&2; printf rest", "< out\n< rest\n", 0);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.transcript, "< out\n< rest\n# oops\n");
    }
}
