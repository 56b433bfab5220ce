// Runs a program in your terminal, at the pace of your clock: what you type goes to its serial port,
// what it says comes from there. Ctrl-D is the end of the input; Ctrl-C ends it all.
//
//   npm ci && node run.mjs ../target/thumbv6m-none-eabi/release/node

import { Board, millis } from './board.mjs';

const PIECE = 10; // milliseconds
const LONGEST = millis(200); // when the host falls behind, time goes slower
const END_OF_INPUT = 0x04;

const [program] = process.argv.slice(2);
if (!program) {
  console.error('which program? node run.mjs PROGRAM');
  process.exit(2);
}
const board = new Board(program);
process.stdin.on('data', (bytes) => bytes.forEach((byte) => board.send(byte)));
process.stdin.on('end', () => board.send(END_OF_INPUT));

let before = performance.now();
setInterval(() => {
  const now = performance.now();
  board.pass(Math.min(millis(now - before), LONGEST));
  before = now;
  for (const { text } of board.lines.splice(0)) console.log(text);
  if (board.exit !== null) process.exit(board.exit);
}, PIECE);
