// What is typed to a program and what it has to answer, as a text file; the same as in
// `xtask/src/dialogue.rs`, where it is explained, and one kind of line more:
//
//   ! name      do what the test has under that name, with the line that was heard last

import { seconds } from './board.mjs';

/** How long a line may be in coming, in simulated time. */
const PATIENCE = seconds(30);

/** Talks to the board as the text says; throws at the first line that is not as it should be. */
export function follow(board, text, { actions = {}, patience = PATIENCE } = {}) {
  let passOver = false;
  let heard;
  for (const line of text.split('\n')) {
    const [mark, rest] = [line.slice(0, 1), line.slice(1).replace(/^ /, '')];
    if (mark === '' || mark === '#') continue;
    else if (mark === '>') board.type(rest);
    else if (mark === '!') actions[rest](heard);
    else if (mark !== '<') throw new Error(`a line begins with <, >, ! or #, not ${line}`);
    else if (rest === '...') passOver = true;
    else {
      heard = hear(board, rest, { passOver, patience });
      passOver = false;
    }
  }
}

/** Waits for a line that matches the pattern, passing over others if that is allowed; returns it. */
export function hear(board, pattern, { passOver = true, patience = PATIENCE } = {}) {
  const end = board.now + patience;
  for (;;) {
    board.until(() => board.lines.length > 0, end - board.now);
    const line = board.lines.shift();
    if (line === undefined) {
      const why = board.exit === null ? 'nothing came' : `it ended with ${board.exit}`;
      throw new Error(`expected: ${pattern}\nbut ${why}`);
    }
    if (matches(pattern, line.text)) return line;
    if (!passOver) throw new Error(`expected: ${pattern}\n     got: ${line.text}`);
  }
}

/** Whether a line is the pattern, in which * stands for any text. */
function matches(pattern, line) {
  const parts = pattern.split('*').map((part) => part.replace(/[^\w ]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}
