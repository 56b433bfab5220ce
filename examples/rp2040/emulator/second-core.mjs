// The chip's second core, which rp2040js has not got: its model of a core once more, on the same
// memory and peripherals. Ours are what the two cores have for each other: the queues between them,
// the event, and the part of the boot ROM in which the second core waits to be told where to begin.
//
// The cores take turns by the instruction, each as fast as its own instructions allow, and what one
// has written the other sees at once. That is so on the chip as well, which has no caches for its
// RAM; contention for it, which costs cycles there, is not modelled.

const CPUID = 0x00;
const [QUEUE_STATE, QUEUE_WRITE, QUEUE_READ] = [0x50, 0x54, 0x58];
const [DIVIDER, INTERPOLATORS_END] = [0x60, 0x100];
const QUEUE_INTERRUPT = 15; // of the first core; the second core's is the next one
const QUEUE_LENGTH = 8;
const WAIT = 0xe7fdbf20; // wfe, and back to it

/** Gives the chip a second core, which waits to be started, and returns it. */
export function addSecondCore(mcu) {
  // What the second core sees of the chip: all of it, except for what each core has for itself.
  const seen = Object.create(mcu);
  const second = new mcu.core.constructor(seen);
  seen.core = second;
  seen.ppb = new mcu.ppb.constructor(seen, 'PPB of core 1');
  withoutMemoryProtection(seen.ppb);

  const cores = [mcu.core, second];
  mcu.setInterrupt = (number, isSet) => cores.forEach((core) => core.setInterrupt(number, isSet));

  const queues = [[], []]; // what each core is to read
  const own = new mcu.sio.constructor(seen); // its divider and interpolators
  const shared = mcu.sio;
  const begin = bootRom(second, (word) => {
    send(0, word);
    mcu.core.eventRegistered = true;
  });
  mcu.sio = sioOf(0, shared, shared);
  seen.sio = sioOf(1, shared, own);
  mcu.bootrom[0] = WAIT;
  second.PC = 0;
  return second;

  function send(to, word) {
    if (queues[to].length < QUEUE_LENGTH) queues[to].push(word);
    cores[to].setInterrupt(QUEUE_INTERRUPT + to, true);
  }

  function sioOf(number, shared, own) {
    const other = 1 - number;
    const whose = (offset) => (offset >= DIVIDER && offset < INTERPOLATORS_END ? own : shared);
    return Object.assign(Object.create(shared), {
      readUint32(offset) {
        if (offset === CPUID) return number;
        if (offset === QUEUE_STATE) {
          return (queues[number].length > 0 ? 1 : 0) | (queues[other].length < QUEUE_LENGTH ? 2 : 0);
        }
        if (offset === QUEUE_READ) {
          const word = queues[number].shift() ?? 0;
          if (queues[number].length === 0) cores[number].setInterrupt(QUEUE_INTERRUPT + number, false);
          return word;
        }
        return whose(offset).readUint32(offset);
      },
      writeUint32(offset, value) {
        if (offset === QUEUE_STATE) return; // clears complaints, of which there are none
        if (offset !== QUEUE_WRITE) whose(offset).writeUint32(offset, value);
        else if (number === 0 && begin.isWaiting()) begin.hear(value >>> 0);
        else send(other, value >>> 0);
      },
    });
  }
}

/** The second core's beginning: 0, 0, 1, vector table, stack, entry; each word is said back. */
function bootRom(core, say) {
  let heard = [];
  let isWaiting = true;
  return {
    isWaiting: () => isWaiting,
    hear(word) {
      const expected = [0, 0, 1][heard.length];
      if (expected === undefined || word === expected) heard.push(word);
      else heard = [];
      say(word);
      if (heard.length < 6) return;
      const [, , , vectors, stack, entry] = heard;
      core.VTOR = vectors;
      core.SP = stack;
      core.PC = entry & ~1;
      core.waiting = false;
      isWaiting = false;
    },
  };
}

/** A stack's guard is set up and guards nothing: there is no model of memory protection. */
function withoutMemoryProtection(ppb) {
  const [BEGIN, END] = [0xd90, 0xda4];
  const { readUint32, writeUint32 } = ppb;
  const isMpu = (offset) => offset >= BEGIN && offset < END;
  ppb.readUint32 = (offset) => (isMpu(offset) ? 0 : readUint32.call(ppb, offset));
  ppb.writeUint32 = (offset, value) => {
    if (!isMpu(offset)) writeUint32.call(ppb, offset, value);
  };
}
