//! The main job, told as stories: the example's own module, under simulated time and once in real
//! time.

#[path = "../examples/node/app/mod.rs"]
mod app;
#[path = "../examples/node/demo.rs"]
mod demo;
#[path = "../examples/node/host.rs"]
#[allow(dead_code, reason = "the standard output is the program's")]
mod host;
#[path = "../examples/node/simulated.rs"]
mod simulated;

use std::fmt;
use std::io::Cursor;

use ensue::{Ended, ExtU64};

/// What the node prints in at most an hour, when this is typed at these seconds.
fn transcript(script: &[(u64, &str)]) -> String {
    let script: Vec<_> = script.iter().map(|(at, line)| (at.secs(), *line)).collect();
    let mut out = String::new();
    let _how_it_ended = demo::play(&script, &mut out).expect("there is room for a task");
    out
}

/// The lines that say so much of a transcript.
fn lines<'a>(transcript: &'a str, word: &str) -> Vec<&'a str> {
    transcript.lines().filter(|line| line.contains(word)).collect()
}

/// The answer to the last command in a transcript, without its margin.
fn last_answer(transcript: &str) -> Vec<&str> {
    let (_, answer) = transcript.rsplit_once("] > ").expect("a command");
    answer.lines().skip(1).take_while(|line| !line.starts_with('[')).map(str::trim).collect()
}

fn answer_to(command: &str) -> Vec<String> {
    let transcript = transcript(&[(30, &format!("{command}\n")), (30, "quit\n")]);
    let (before_quit, _) = transcript.rsplit_once("[00:00:30.000] > quit").expect("it was typed");
    last_answer(before_quit).into_iter().map(String::from).collect()
}

#[test]
fn an_hour_is_the_same_every_time() {
    let kept = include_str!("data/node_virtual.txt");
    let mut out = String::new();
    assert_eq!(demo::play(&demo::HOUR, &mut out), Ok(Ended::Stopped));
    for (number, (ours, kept)) in out.lines().zip(kept.lines()).enumerate() {
        assert_eq!(ours, kept, "line {} of tests/data/node_virtual.txt", number + 1);
    }
    assert_eq!(out.lines().count(), kept.lines().count());
}

#[test]
fn the_first_lines_say_what_it_is_and_what_it_takes() {
    let out = transcript(&[]);
    let mut lines = out.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("[00:00:00.000] node: sensors")));
    let commands = lines.next().expect("a second line");
    for command in ["status", "sensors", "log", "pull", "period", "press", "cancel", "quit"] {
        assert!(commands.contains(command), "{command}");
    }
}

#[test]
fn piped_commands_are_answered_in_real_time_and_then_it_ends() {
    // More than the queue holds: a pipe can wait.
    let typed = ["status", "period 50", "press", "nonsense", "pull 9", "pull 99", "pull 999"]
        .repeat(9)
        .join("\r\n");
    let mut out = String::new();
    assert_eq!(host::run(Cursor::new(typed.clone()), true, &mut out), Ok(Ended::Stopped));

    let commands: Vec<_> = out.lines().filter_map(|line| line.split_once("] > ")).collect();
    assert!(commands.iter().map(|(_, command)| *command).eq(typed.lines()), "{out}");
    assert_eq!(lines(&out, "no such command: nonsense").len(), 9);
    assert!(!lines(&out, "button: pressed").is_empty(), "what it began is waited for");
    assert!(out.ends_with("bye\n"));
}

#[test]
fn what_comes_too_fast_is_counted() {
    // Under simulated time the bytes come at once, and no interrupt can wait.
    let out = transcript(&[(30, &"pull 7\n".repeat(12)), (31, "status\n")]);
    assert_eq!(lines(&out, "no reading 7").len(), 9, "64 places, the last one for the mark");
    assert_eq!(lines(&out, "a line was cut short").len(), 1);
    assert!(last_answer(&out).contains(&"console   commands 10, bytes lost 21"), "{out}");
}

#[test]
fn half_a_command_is_not_taken_for_a_whole_one() {
    let pasted = "\n".repeat(63 - "period 50".len()) + "period 5000\nlog\n";
    let out = transcript(&[(30, &pasted), (31, "status\n")]);
    assert_eq!(lines(&out, "a line was cut short").len(), 1);
    assert_eq!(lines(&out, "> ").len(), 1, "only the last command: {out}");
    assert_eq!(lines(&out, "every 1 s").len(), 1, "{out}");
    assert_eq!(lines(&out, "bytes lost 7").len(), 1, "{out}");
}

#[test]
fn mistakes_are_answered_in_plain_words() {
    for (command, answer) in [
        ("coffee", "no such command: coffee; `help` lists them"),
        ("Status", "no such command: Status; `help` lists them"),
        ("status now", "one word too many: now"),
        ("log all of it", "one word too many: of"),
        ("pull", "it needs a reading's number: pull 17"),
        ("pull me", "it needs a reading's number, not me"),
        ("pull 65536", "it needs a reading's number, not 65536"),
        ("pull 0", "no reading 0: the log goes from 12 to 29"),
        ("pull 3", "no reading 3: the log goes from 12 to 29"),
        ("period", "it needs a number of milliseconds: period 5000"),
        ("period 0", "it needs 10 to 30000 milliseconds, not 0"),
        ("period -5", "it needs 10 to 30000 milliseconds, not -5"),
        ("period 99999999999", "it needs 10 to 30000 milliseconds, not 99999999999"),
        ("cancel", "it needs a task's name: cancel report"),
        ("cancel me", "no such task: me"),
        ("cancel console", "not the console; `quit` ends everything"),
        ("a line that goes on and on and on and on", "no such command: a; `help` lists them"),
        ("a line that goes on and on and on and on!", "no command is that long; `help` lists them"),
        ("grüße", "no such command: grüße; `help` lists them"),
    ] {
        assert_eq!(answer_to(command), [answer], "{command}");
    }
}

#[test]
fn an_empty_line_is_no_command() {
    let out = transcript(&[(5, "\n  \n\r\n"), (6, "status\n")]);
    assert!(last_answer(&out).contains(&"console   commands 1, bytes lost 0"), "{out}");
}

#[test]
fn a_line_may_come_byte_by_byte_and_be_corrected() {
    let out = transcript(&[(5, "sta"), (8, "b"), (8, "\x7ft"), (9, "us"), (10, "\n")]);
    assert_eq!(lines(&out, "> status"), ["[00:00:10.000] > status"]);
}

#[test]
fn old_readings_make_room_for_new_ones_and_are_counted() {
    let out = transcript(&[(17, "status\n"), (100, "status\n")]);
    let kept = lines(&out, "log       kept");
    assert!(kept[0].contains("kept 17, dropped to make room 0, bytes 238 of 256, in holes 0"));
    // At 100 s the command comes before the reading of that second is in the log.
    assert!(kept[1].contains("kept 18, dropped to make room 81, bytes 252 of 256, in holes 0"));
}

#[test]
fn a_reading_pulled_from_the_middle_leaves_a_hole_that_the_tail_passes() {
    let script = [(20, "pull 10\nstatus\n"), (25, "log all\n"), (35, "status\n")];
    let out = transcript(&script);
    assert_eq!(lines(&out, "at 00:00:09.000, taken out of the log").len(), 1);
    let kept = lines(&out, "log       kept");
    assert!(kept[0].contains("kept 17,") && kept[0].contains("in holes 14"), "{}", kept[0]);
    assert!(kept[1].contains("kept 18,") && kept[1].contains("in holes 0"), "{}", kept[1]);
    assert_eq!(lines(&out, " 10  00:00:09.000").len(), 0, "not listed any more");
    assert_eq!(lines(&out, " 11  00:00:10.000").len(), 1);
}

#[test]
fn a_period_counts_from_the_reading_that_is_due() {
    let out = transcript(&[(10, "cancel report\n"), (10, "period 250\n"), (13, "log all\n")]);
    let times: Vec<_> = last_answer(&out).iter().rev().take(8).map(|line| &line[4..16]).collect();
    assert_eq!(times[7], "00:00:11.000");
    assert_eq!(times[6], "00:00:11.250");
}

#[test]
fn a_sensor_that_does_not_answer_is_a_fault_and_the_next_reading_is_tried() {
    let out = transcript(&[(30, "status\n")]);
    assert_eq!(
        lines(&out, "did not answer")[..1],
        ["[00:00:24.000] sample: the sensor did not answer (fault 1)"]
    );
    assert!(last_answer(&out)[3].starts_with("counts    readings 30, faults 1,"), "{out}");
}

#[test]
fn the_sensor_outdoors_fails_on_its_own() {
    let out = transcript(&[(244, "status\nsensors\n")]);
    assert_eq!(
        lines(&out, "outdoors:")[..1],
        ["[00:04:00.000] outdoors: the sensor did not answer (fault 1)"]
    );
    let kept = lines(&out, "outdoors  ");
    assert_eq!(kept[0].trim(), "outdoors  -0.6 C at 00:03:50.000", "the last one that was taken");
    assert_eq!(kept[1].trim(), "outdoors  00:04:10.000       1  every 10 s");
    assert_eq!(
        last_answer(&out),
        [
            "indoors, simulated: asked 245 times, 1 without an answer",
            "outdoors, simulated: asked 25 times, 1 without an answer"
        ]
    );
}

#[test]
fn an_alarm_sounds_until_the_button_and_lasts_until_it_is_cool_for_a_minute() {
    let out = transcript(&[(85, "press\n"), (400, "quit\n")]);
    let story: Vec<_> =
        out.lines().filter(|l| l.contains("alarm:") || l.contains("horn:")).collect();
    assert_eq!(
        story,
        [
            "[00:00:49.000] alarm: 28.0 C is too warm",
            "[00:00:49.000] horn: beep (the button silences it)",
            "[00:01:19.000] horn: beep (the button silences it)",
            "[00:01:25.030] horn: silenced",
            "[00:04:02.000] alarm: over, after 193 s",
        ]
    );
}

#[test]
fn a_cancelled_alarm_is_raised_again_by_the_next_warm_reading_with_one_horn() {
    let out = transcript(&[(60, "cancel alarm\n"), (100, "status\n"), (101, "quit\n")]);
    assert_eq!(lines(&out, "alarm: 2").len(), 2, "{out}");
    assert_eq!(lines(&out, "horn      ").len(), 1, "{out}");
}

#[test]
fn readings_that_stay_away_are_noticed() {
    let out = transcript(&[(10, "cancel sample\n"), (11, "period 500\n"), (80, "quit\n")]);
    assert_eq!(lines(&out, "sample: no such task").len(), 1);
    assert_eq!(lines(&out, "watch:"), ["[00:01:10.000] watch: no reading for 60 s"]);
}

#[test]
fn an_input_that_has_ended_ends_the_node_after_its_last_words() {
    let out = transcript(&[(7, "press\n\x04")]);
    let end: Vec<_> = out.lines().skip(2).collect();
    assert_eq!(end[0], "[00:00:07.000] > press");
    assert!(end[1].starts_with("[00:00:07.030] button: pressed"));
    assert_eq!(end[2..], ["[00:00:07.100] bye"]);
}

#[test]
fn an_output_that_is_closed_ends_the_node() {
    struct Closed(usize);
    impl fmt::Write for Closed {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    for room in [0, 100, 500] {
        assert_eq!(demo::play(&[], &mut Closed(room)), Ok(Ended::Stopped));
    }
}
