/** Names that somebody may have meant. */

/** By the number of letters that would have to change, the nearest first; of equal ones in their own order. */
export function nearestNames(text: string, names: readonly string[], count: number): readonly string[] {
  const measured = names.map((name) => ({ name, distance: distanceOf(text, name) }));
  return measured
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** Levenshtein's, row by row. */
function distanceOf(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (let column = 0; column < to.length; column += 1) {
      const changed = (above[column] ?? 0) + (letter === to[column] ? 0 : 1);
      current.push(Math.min(changed, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? 0;
}
