// A Pico without a Pico: rp2040js with a program in its flash, and the means to look at it from
// outside and to touch its pins.
//
// Time is simulated. An instruction takes what it takes on a Cortex-M0+ at 125 MHz, a sleep takes
// none of our time, and nothing depends on the host: every run is the same to the nanosecond. There
// is no boot ROM; what it looks for is looked for, and the core starts from the program's vector
// table, as the boot loader would leave it.

import { readFileSync } from 'node:fs';
import { GPIOPinState, RP2040 } from 'rp2040js';

import {
  putRightAlarms,
  putRightCore,
  putRightEvents,
  putRightSerial,
  putRightTwoWires,
  wakes,
} from './put-right.mjs';
import { addSecondCore } from './second-core.mjs';

export const micros = (count) => count * 1e3;
export const millis = (count) => count * 1e6;
export const seconds = (count) => count * 1e9;

const FLASH = 0x10000000;
const VECTORS = FLASH + 0x100;
const RAM_SIZE = 0x40000; // as in memory.x
const [UNTOUCHED, RED_ZONE] = [0xa5, 256]; // so many bytes in a row: nobody was here
const CYCLE = 8; // nanoseconds at 125 MHz
const NEVER_ASLEEP = seconds(1); // after that long the first core has run wild
const BYTE = Math.round(1e9 / 11_520); // nanoseconds on a serial line of 115,200 baud

export class Board {
  /** The program's exit code; null while it runs. */
  exit = null;
  /** Lines said on the serial port that nobody has taken yet: [{ text, began }]. */
  lines = [];
  /** All that was typed and said. */
  transcript = '';

  #first;
  #second;
  #line = { text: '', began: 0 };
  #lineIsFree = 0;

  constructor(elf) {
    this.mcu = new RP2040();
    this.clock = this.mcu.clock;
    const cores = [this.mcu.core, addSecondCore(this.mcu)];
    cores.forEach(putRightCore);
    putRightEvents(this.mcu, cores, (source, complaint) => this.#hearComplaint(source, complaint));
    putRightAlarms(this.mcu);
    putRightTwoWires(this.mcu);
    putRightSerial(this.mcu, BYTE, (byte) => this.#hear(byte));
    [this.#first, this.#second] = cores.map((core) => new Runner(core));

    for (const core of cores) core.rp2040.onBreak = (number) => this.#breakpoint(core, number);
    for (const pin of this.mcu.gpio) pin.setInputValue(true); // nothing is pressed

    this.mcu.sram.fill(UNTOUCHED);
    load(this.mcu, readFileSync(elf));
    if (!hasBootLoader(this.mcu.flashView)) throw new Error('the flash does not begin with a boot loader');
    this.mcu.core.VTOR = VECTORS;
    this.mcu.core.reset();
  }

  /** Nanoseconds since the start. */
  get now() {
    return this.clock.nanos;
  }

  /** How often the first core's sleep has ended. */
  get wakeUps() {
    return this.#first.wakeUps;
  }

  /** How long the first core was awake, in nanoseconds. */
  get awake() {
    return this.#first.core.cycles * CYCLE;
  }

  /** How deep the first core's stack has been, in bytes: it begins at the end of the RAM. */
  get stack() {
    const { sram } = this.mcu;
    const isUntouched = (at) => sram.subarray(at - RED_ZONE, at).every((byte) => byte === UNTOUCHED);
    let at = RAM_SIZE;
    while (at > RED_ZONE && !isUntouched(at)) at -= 1;
    return RAM_SIZE - at;
  }

  /** Lets this much time pass, or as much as there is until the program ends. */
  pass(nanos) {
    this.until(() => false, nanos);
  }

  /** Lets time pass until `happened()`, at most so long; whether it happened. */
  until(happened, atMost) {
    let isOver = false;
    const alarm = this.after(atMost, () => (isOver = true));
    while (!happened() && !isOver && this.exit === null) this.#step();
    alarm.cancel();
    return happened();
  }

  /** Does something after a while. */
  after(nanos, action) {
    const alarm = this.clock.createAlarm(action);
    alarm.schedule(nanos);
    return alarm;
  }

  /** Puts a voltage on a pin. */
  drive(pin, high) {
    this.mcu.gpio[pin].setInputValue(high);
  }

  /** The pin's edges from now on, as a list that grows: [{ at, high }]. */
  watch(pin) {
    const edges = [];
    const listen = (state) => edges.push({ at: this.now, high: state === GPIOPinState.High });
    this.mcu.gpio[pin].addListener(listen);
    return edges;
  }

  /** Types a line, as fast as the serial port takes it. */
  type(line) {
    this.transcript += `> ${line}\n`;
    for (const byte of Buffer.from(`${line}\n`)) this.send(byte);
  }

  /** Sends a byte as soon as the serial line is free. */
  send(byte) {
    this.#lineIsFree = Math.max(this.#lineIsFree, this.now) + BYTE;
    this.after(this.#lineIsFree - this.now, () => this.mcu.uart[0].feedByte(byte));
  }

  /** One instruction of the core whose turn it is, or all the time to the next thing to happen. */
  #step() {
    const [first, second, clock] = [this.#first, this.#second, this.clock];
    const firstRuns = first.runs(clock.nanos);
    const secondRuns = second.runs(clock.nanos);
    if (firstRuns || secondRuns) {
      const core = !secondRuns || (firstRuns && first.isFree <= second.isFree) ? first : second;
      if (core.isFree > clock.nanos) clock.tick(core.isFree - clock.nanos);
      core.isFree = clock.nanos + core.core.executeInstruction() * CYCLE;
      if (firstRuns && clock.nanos - first.awakeSince > NEVER_ASLEEP) this.#goWrong('it never sleeps');
    } else if (clock.nextAlarm) {
      clock.tick(clock.nanosToNextAlarm);
    } else {
      this.#goWrong('it sleeps, and nothing will ever wake it');
    }
  }

  #hear(byte) {
    if (this.#line.text === '') this.#line.began = this.now - BYTE;
    if (byte !== 0x0a) {
      this.#line.text += String.fromCharCode(byte);
      return;
    }
    this.transcript += `< ${this.#line.text}\n`;
    this.lines.push(this.#line);
    this.#line = { text: '', began: 0 };
  }

  /** A register that is not modelled may not matter; an instruction or an address that is not does. */
  #hearComplaint(source, complaint) {
    if (source === 'CortexM0Core' || source === 'RP2040') this.#goWrong(complaint);
    const line = `# ${source}: ${complaint}\n`;
    if (!this.transcript.includes(line)) this.transcript += line;
  }

  #breakpoint(core, number) {
    const [SEMIHOSTING, EXIT_EXTENDED, APPLICATION_EXIT] = [0xab, 0x20, 0x20026];
    const [call, argument] = core.registers;
    if (number !== SEMIHOSTING || call !== EXIT_EXTENDED) {
      this.#goWrong(`breakpoint ${number} with ${call} at ${core.PC.toString(16)}`);
    }
    const [reason, code] = [0, 4].map((offset) => this.mcu.readUint32(argument + offset));
    this.exit = reason === APPLICATION_EXIT ? code : 1;
  }

  #goWrong(complaint) {
    throw new Error(`${complaint}, after ${this.now / 1e6} ms`);
  }
}

/** A core, and when it is through with its instruction. */
class Runner {
  isFree = 0;
  awakeSince = 0;
  wakeUps = 0;

  constructor(core) {
    this.core = core;
  }

  /** Whether it is awake; if something has ended its sleep, it is from here on. */
  runs(now) {
    if (!this.core.waiting) return true;
    if (!wakes(this.core)) return false;
    this.wakeUps += 1;
    this.awakeSince = now;
    return true;
  }
}

/** Puts an ELF file's segments into the flash, where they lie when the chip starts. */
function load(mcu, elf) {
  const [LOAD, ENTRY] = [1, 32];
  if (elf.readUInt32BE(0) !== 0x7f454c46) throw new Error('this is no ELF file');
  const [table, count] = [elf.readUInt32LE(28), elf.readUInt16LE(44)];
  for (let at = table; at < table + count * ENTRY; at += ENTRY) {
    const [type, offset, address, size] = [0, 4, 12, 16].map((field) => elf.readUInt32LE(at + field));
    if (type === LOAD && size > 0) mcu.flash.set(elf.subarray(offset, offset + size), address - FLASH);
  }
}

/** Whether the checksum behind the first 252 bytes is theirs; a chip does not start otherwise. */
function hasBootLoader(flash) {
  const [SIZE, POLYNOMIAL] = [252, 0x04c11db7];
  let sum = ~0;
  for (let at = 0; at < SIZE; at += 1) {
    sum ^= flash.getUint8(at) << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum << 1) ^ (sum < 0 ? POLYNOMIAL : 0);
  }
  return sum === flash.getInt32(SIZE, true);
}
