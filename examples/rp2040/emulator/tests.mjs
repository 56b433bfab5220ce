// What each program has to do, seen from outside: on its pins, on its serial port, and by how often
// its core wakes.
//
//   node tests.mjs [FILTER]     after `cargo build --release` one folder up

import { readFileSync } from 'node:fs';

import { Board, micros, millis, seconds } from './board.mjs';
import { Lm75, TwoWires } from './chips.mjs';
import { follow, hear } from './dialogue.mjs';

const PROGRAMS = '../target/thumbv6m-none-eabi/release/';
const [ANSWER, BUTTON, LED] = [14, 15, 25];
const TICK = micros(1);
const HALF_SECOND = millis(500);

const tests = {
  /** Every change comes half a second after the one before, and one wake-up brings it. */
  blink(board) {
    const edges = board.watch(LED);
    const changes = 10_000;
    board.until(() => edges.some(({ high }) => high), seconds(1));
    // The first run does not come out of a sleep, and so is a little sooner after its deadline.
    board.until(() => edges.at(-1).at > millis(1), seconds(1));
    const wakeUps = board.wakeUps;
    edges.splice(0, edges.length - 1);
    board.pass(HALF_SECOND * changes);

    const { mean, worst } = periods(edges, HALF_SECOND);
    expect(edges.length, changes + 1, 'changes');
    expect(board.wakeUps - wakeUps, changes, 'wake-ups');
    expectAtMost(worst, TICK, 'the worst period error');
    return [
      `${changes} periods of 500 ms: error ${nanos(mean)} on average, ${nanos(worst)} at worst`,
      `${perMinute(board, changes, seconds(5000))} wake-ups a minute, awake ${perMille(board)}`,
    ];
  },

  /** The press of a button at every moment of a pass and of going to sleep is answered at once. */
  button(board) {
    const answers = board.watch(ANSWER);
    board.pass(millis(5));
    const seen = board.wakeUps;
    board.until(() => board.wakeUps > seen, millis(2)); // a pass begins, and one every millisecond
    const [before, after] = [micros(2), micros(20)];
    const delays = [];
    answers.length = 0;
    for (let offset = -before; offset < after; offset += 8) {
      const pressed = board.now + millis(1) + offset;
      const released = pressed + micros(300);
      const next = board.now + millis(1);
      board.after(pressed - board.now, () => board.drive(BUTTON, false));
      board.after(released - board.now, () => board.drive(BUTTON, true));
      board.pass(released + micros(1) - board.now);
      expect(answers.length, 1, `answers to a press ${nanos(offset)} after a pass began`);
      delays.push(answers.pop().at - pressed);
      board.pass(next - board.now);
    }
    const worst = Math.max(...delays);
    expectAtMost(worst, micros(50), 'the longest time to an answer');
    return [
      `pressed at ${delays.length} moments, 8 ns apart, of waking, running and going to sleep: ` +
        `answered after ${nanos(Math.min(...delays))} to ${nanos(worst)}`,
    ];
  },

  /** What the clock finds out about itself; and it counts its sleeps as they are counted here. */
  clock(board) {
    follow(board, read('clock'), { patience: seconds(12 * 3600) });
    const { text: summary } = hear(board, 'a task every 10 s: * in all', { patience: seconds(700) });
    board.pass(seconds(1));
    expect(summary.split(',')[0], 'a task every 10 s: 60 wake-ups in 600 s', 'it says');
    expect(board.exit, 0, 'the exit code');
    expect(`${board.wakeUps}`, summary.match(/(\d+) in all/)[1], 'wake-ups');
    return [summary];
  },

  /**
   * The application: commands over the serial port, a button that bounces, an LED, and two
   * thermometers on one bus. The one outdoors is late at first, and later its cable breaks.
   */
  node(board) {
    const edges = board.watch(LED);
    const [indoors, outdoors] = [new Lm75(21.5), new Lm75(-6)];
    const wires = new TwoWires(board, { 0x48: indoors, 0x49: outdoors });
    outdoors.refusals = 2;
    let pressed, answer, broken;
    const actions = {
      press() {
        pressed = board.now;
        const bounces = [0.1, 1.2, 1.9, 3.1, 4.0]; // down, up, down, up, and down
        bounces.forEach((at, n) => board.after(millis(at), () => board.drive(BUTTON, n % 2 === 1)));
        board.after(millis(200), () => board.drive(BUTTON, true));
      },
      'was answered'({ began }) {
        answer = began - pressed - millis(0.1);
        expectAtMost(Math.abs(answer - millis(30)), micros(200), 'the answer is off by');
      },
      'the cable to outdoors breaks'() {
        outdoors.refusals = Infinity;
        broken = wires.calls.length;
      },
      'it is mended, and warmer there'() {
        outdoors.refusals = 0;
        outdoors.celsius = 3.5;
        broken = wires.calls.slice(broken);
      },
      'it gets hot indoors'() {
        indoors.celsius = 29.5;
      },
      'a window is opened'() {
        indoors.celsius = 18;
      },
      'five minutes'() {
        board.pass(seconds(300));
      },
    };
    follow(board, read('node'), { actions, patience: seconds(90) });
    const begun = edges.findIndex(({ at }) => at > millis(1));
    const { mean, worst, count } = periods(edges.slice(begun), HALF_SECOND);
    expectAtMost(Math.abs(mean), TICK, 'the average period error');
    expectAtMost(worst, micros(500), 'the worst period error');

    // Three tries, then the next time three. The pauses are those between the end of a refusal and
    // the next start; the HAL adds to them.
    const tries = broken.filter(({ address }) => address === 0x49);
    expect(tries.length, 6, 'calls to the chip whose cable is broken');
    const pauses = tries.slice(1).map(({ began }, n) => began - tries[n].ended);
    for (const [n, pause] of [[0, 1], [1, 2], [3, 1], [4, 2]]) {
      expectAtMost(millis(pause), pauses[n], `pause ${n + 1} of at least ${pause} ms`);
      expectAtMost(pauses[n] - millis(pause), micros(100), `what comes on top of pause ${n + 1}`);
    }
    expectAtMost(Math.abs(wires.hertz - 100_000), 100, 'the clock of the wires is off by');

    const { text: slept } = hear(board, 'slept * times');
    board.pass(seconds(1));
    expect(board.exit, 0, 'the exit code');
    expect(slept, `slept ${board.wakeUps} times`, 'it says that it');
    return [
      `the button: answered ${nanos(answer)} after the contact first closed, of which 30 ms are for its bounces`,
      `blink meanwhile, ${count} periods: error ${nanos(mean)} on average, ${nanos(worst)} at worst`,
      `at ${wires.hertz} Hz a reading took ${nanos(wires.longest)} at most on the wires`,
      `pauses before the chip that was not there was tried again: ${pauses.slice(0, 2).map(nanos).join(', ')}`,
      `${slept} in ${(board.now / 1e9).toFixed(1)} s, awake ${perMille(board)}`,
    ];
  },

  /** A program that goes wrong says so and ends. */
  panics(board) {
    follow(board, '< panicked at src/bin/panics.rs:*\n< as it should');
    board.pass(seconds(1));
    expect(board.exit, 101, 'the exit code');
    return [];
  },

  /** The second core's triggers wake the first, whenever they come. */
  two_cores(board) {
    const { text: said } = hear(board, '4000 of 4000 answered, *');
    board.pass(seconds(1));
    expect(board.exit, 0, 'the exit code');
    return [said];
  },
};

process.exit(run(process.argv[2] ?? ''));

/** Runs the tests whose names contain the filter; returns how many failed. */
function run(filter) {
  const names = Object.keys(tests).filter((name) => `rp2040::${name}`.includes(filter));
  const failures = names.filter((name) => {
    let board;
    try {
      board = new Board(new URL(PROGRAMS + name, import.meta.url));
      const facts = tests[name](board);
      console.log(`test rp2040::${name} ... ok, ${board.stack} bytes of stack at most`);
      facts.forEach((fact) => console.log(`     ${fact}`));
      return false;
    } catch (failure) {
      console.log(`test rp2040::${name} ... FAILED\n${board?.transcript ?? ''}${failure.stack}`);
      return true;
    }
  });
  if (names.length === 0) console.log(`no test has ${filter} in its name`);
  console.log(`test result: ${failures.length || !names.length ? 'FAILED' : 'ok'}. ${names.length - failures.length} passed; ${failures.length} failed`);
  return names.length === 0 ? 1 : failures.length;
}

function read(dialogue) {
  return readFileSync(new URL(`../dialogues/${dialogue}.txt`, import.meta.url), 'utf8');
}

/** How far the time from edge to edge is from what it should be. */
function periods(edges, expected) {
  const count = edges.length - 1;
  const errors = edges.slice(1).map(({ at }, index) => Math.abs(at - edges[index].at - expected));
  return { count, mean: (edges[count].at - edges[0].at) / count - expected, worst: Math.max(...errors) };
}

function expect(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
}

function expectAtMost(actual, most, what) {
  if (!(actual <= most)) throw new Error(`${what}: expected at most ${nanos(most)}, got ${nanos(actual)}`);
}

function nanos(count) {
  return Math.abs(count) < 10_000 ? `${+count.toFixed(3)} ns` : `${+(count / 1000).toFixed(3)} us`;
}

function perMinute(board, count, time) {
  return (count * seconds(60)) / time;
}

function perMille(board) {
  return `${((board.awake / board.now) * 1000).toFixed(3)} per mille of the time`;
}
