// Where rp2040js 1.4.1 differs from the chip in what these programs meet; each is put right here.

/** Makes a core sleep and wake as a Cortex-M0+ does; `wakes` is the other half of it. */
export function putRightCore(core) {
  // 1. An interrupt that ends WFI is taken at once, also where it is masked. It is only to wake the
  //    core; the next instruction looks whether it may be taken.
  const check = core.checkForInterrupts;
  core.checkForInterrupts = () => (core.waiting ? false : check.call(core));
}

/** Whether something ends this core's WFI or WFE. */
export function wakes(core) {
  // 2. WFI sleeps through an interrupt that is pending when it is reached, and through SysTick.
  const isPending =
    core.pendingNMI || core.pendingSystick || core.pendingPendSV || (core.pendingInterrupts & core.enabledInterrupts) !== 0;
  const WFE = 0xbf20;
  const waitsForEvent = core.readUint16(core.PC - 2) === WFE;
  if (waitsForEvent && core.eventRegistered) {
    core.eventRegistered = false;
  } else if (!isPending || (waitsForEvent && core.PM)) {
    return false;
  }
  core.waiting = false;
  core.interruptsUpdated = true;
  return true;
}

/** Lets SEV set the event of all cores: 3. it sets none, and only leaves a line in the log. */
export function putRightEvents(mcu, cores, complain) {
  mcu.logger = {
    debug() {},
    info(_, message) {
      if (message === 'SEV') for (const core of cores) core.eventRegistered = true;
    },
    warn: complain,
    error: complain,
  };
}

/** Lets the timer's alarms go off when the counter becomes their value. */
export function putRightAlarms(mcu) {
  const [TIMER, ALARM0, ALARM3] = [0x40054, 0x10, 0x1c];
  const timer = mcu.peripherals[TIMER];
  const write = timer.writeUint32;
  timer.writeUint32 = (offset, value) => {
    write.call(timer, offset, value);
    if (offset < ALARM0 || offset > ALARM3) return;
    // 4. They come up to a microsecond early, before the counter is there. And an alarm for the
    //    microsecond that has begun is not to be relied on: here it is one that was missed.
    const { nanos } = mcu.clock;
    const ahead = (value - Math.floor(nanos / 1000)) >>> 0 || 2 ** 32;
    timer.alarms[(offset - ALARM0) / 4].clockAlarm.schedule(ahead * 1000 - (nanos % 1000));
  };
}

/** Lets the serial port be without line errors, and as slow as it is: a byte takes so long. */
export function putRightSerial(mcu, nanosPerByte, heard) {
  const [DATA, ERRORS, DMA] = [0x00, 0x04, 0x48];
  const [RECEIVED_NONE, BUSY, FULL, ALL_SENT] = [1 << 4, 1 << 3, 1 << 5, 1 << 7];
  const QUEUE_LENGTH = 32;
  const [uart] = mcu.uart;
  const { clock } = mcu;
  const { readUint32, writeUint32 } = uart;
  let isFree = 0;
  const waiting = () => Math.ceil((isFree - clock.nanos) / nanosPerByte) - 1; // one is on the line

  // 5. Registers that it has not got read as all ones: every line error there is, after each byte.
  uart.readUint32 = (offset) => (offset === ERRORS ? 0 : readUint32.call(uart, offset));
  uart.writeUint32 = (offset, value) => {
    if (offset === DATA) send(value & 0xff);
    else if (offset !== ERRORS && offset !== DMA) writeUint32.call(uart, offset, value);
  };

  // 6. What is sent is out at once.
  Object.defineProperty(uart, 'flags', {
    get: () =>
      (uart.rxFIFO.empty ? RECEIVED_NONE : 0) |
      (isFree > clock.nanos ? BUSY : 0) |
      (waiting() >= QUEUE_LENGTH ? FULL : 0) |
      (waiting() <= 0 ? ALL_SENT : 0),
  });
  function send(byte) {
    isFree = Math.max(isFree, clock.nanos) + nanosPerByte;
    clock.createAlarm(() => heard(byte)).schedule(isFree - clock.nanos);
  }
}

/** Lets the I2C send the address again, with a restart, wherever reading follows writing. */
export function putRightTwoWires(mcu) {
  const [COMMAND, ENABLE] = [0x10, 0x6c];
  const [READ, STOP, RESTART] = [1 << 8, 1 << 9, 1 << 10];
  for (const part of mcu.i2c) {
    const write = part.writeUint32;
    let before = STOP; // the last command
    // 7. It does so only when it is told to; the chip does it by itself when the direction changes.
    part.writeUint32 = (offset, value) => {
      const turns = offset === COMMAND && !(before & STOP) && ((value ^ before) & READ) !== 0;
      if (offset === COMMAND) before = value;
      if (offset === ENABLE) before = STOP;
      write.call(part, offset, turns ? value | RESTART : value);
    };
  }
}
