// What hangs on the Pico's I2C: the wires, on which everything takes as long as the program has set
// the clock to, and thermometers.

const CYCLE = 8; // nanoseconds at 125 MHz
const BITS = 9; // a byte and its acknowledgement
const WRITE = 0; // rp2040js's name for it is not exported

/** The wires of I2C 0 and the chips on them, by address. */
export class TwoWires {
  /** Each time that an address was sent: [{ address, began, ended }]. */
  calls = [];
  /** The longest time from a start to its stop, in nanoseconds. */
  longest = 0;

  #part;
  #began = null;

  constructor(board, chips) {
    const part = board.mcu.i2c[0];
    this.#part = part;
    let chip;
    const afterBits = (bits, action) => board.after(Math.round((bits * 1e9) / this.hertz), action);

    part.onStart = () => {
      this.#began ??= board.now;
      afterBits(1, () => part.completeStart());
    };
    part.onConnect = (address, mode) => {
      const call = { address, began: board.now };
      this.calls.push(call);
      afterBits(BITS, () => {
        call.ended = board.now;
        chip = chips[address];
        part.completeConnect(chip?.isCalled(mode === WRITE) ?? false);
      });
    };
    part.onWriteByte = (byte) => afterBits(BITS, () => part.completeWrite(chip.write(byte)));
    part.onReadByte = () => afterBits(BITS, () => part.completeRead(chip.read()));
    part.onStop = () =>
      afterBits(1, () => {
        this.longest = Math.max(this.longest, board.now - this.#began);
        this.#began = null;
        part.completeStop();
      });
  }

  /** The frequency that the program has set. */
  get hertz() {
    return 1e9 / ((this.#part.sclHighPeriod + this.#part.sclLowPeriod) * CYCLE);
  }
}

/** An LM75, as far as it is read: one pointer, and a temperature in steps of half a degree. */
export class Lm75 {
  /** So many times it does not acknowledge its address. */
  refusals = 0;

  #pointer = 0;
  #sent = 0;
  #isFirst = false;

  constructor(celsius) {
    this.celsius = celsius;
  }

  /** Its address was sent; whether it acknowledges. */
  isCalled(toWrite) {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return false;
    }
    this.#isFirst = toWrite;
    this.#sent = 0;
    return true;
  }

  /** A byte has come; whether it is taken. The first one says which register is meant. */
  write(byte) {
    if (this.#isFirst) this.#pointer = byte;
    this.#isFirst = false;
    return true;
  }

  /** The next byte of the register, the upper one first. */
  read() {
    const TEMPERATURE = 0;
    if (this.#pointer !== TEMPERATURE) throw new Error(`register ${this.#pointer} is not modelled`);
    const [halves, shift] = [Math.round(this.celsius * 2) << 7, 8 * (1 - (this.#sent % 2))];
    this.#sent += 1;
    return (halves >> shift) & 0xff;
  }
}
