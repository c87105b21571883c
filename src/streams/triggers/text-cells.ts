/**
 * Texts outside of what the collector of garbage walks through and sweeps: cells of bytes in large pieces of memory. A text lies in a cell that is at
 * most 31 bytes longer than it; a cell that is given back goes to the next text of its size.
 */

/** Cells are multiples of it long. */
const STEP_BYTES = 32;
/** Made at once; small, because many indexes are of few triggers and live for a moment. What is longer has a piece of its own. */
const PIECE_BYTES = 16_384;

/** Cells of one size. */
class Cells {
  private readonly pieces: Buffer[] = [];
  private readonly free: number[] = [];
  private readonly eachPiece: number;
  private made = 0;

  constructor(private readonly bytes: number) {
    this.eachPiece = Math.max(1, Math.floor(PIECE_BYTES / bytes));
  }

  vacant(): number {
    return this.free.pop() ?? this.made++;
  }

  release(cell: number): void {
    this.free.push(cell);
  }

  /** The piece of memory it lies in. */
  piece(cell: number): Buffer {
    const number = Math.floor(cell / this.eachPiece);
    return (this.pieces[number] ??= Buffer.allocUnsafeSlow(this.bytes * this.eachPiece));
  }

  /** Where in its piece it begins. */
  offset(cell: number): number {
    return (cell % this.eachPiece) * this.bytes;
  }
}

export class TextCells {
  /** By how many steps long they are. */
  private readonly sizes: (Cells | undefined)[] = [];

  /** The cell that it lies in from now on; together with its length in bytes it leads to it. */
  add(text: string, bytes: number): number {
    const steps = stepsOf(bytes);
    const cells = (this.sizes[steps] ??= new Cells(steps * STEP_BYTES));
    const cell = cells.vacant();
    cells.piece(cell).write(text, cells.offset(cell), bytes, 'utf8');
    return cell;
  }

  read(cell: number, bytes: number): string {
    const cells = this.cells(bytes);
    const from = cells.offset(cell);
    return cells.piece(cell).toString('utf8', from, from + bytes);
  }

  release(cell: number, bytes: number): void {
    this.cells(bytes).release(cell);
  }

  private cells(bytes: number): Cells {
    const cells = this.sizes[stepsOf(bytes)];
    if (cells === undefined) throw new RangeError(`no text of ${bytes} bytes is kept`);
    return cells;
  }
}

function stepsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / STEP_BYTES));
}
