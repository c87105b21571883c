/** Where the trigger of an id is kept, by many small maps: one large one is built anew now and then, all at once, while every price waits. */

/** No slot. */
export const NONE = -1;

/** A million ids are some thousands in each, which are built anew within a part of a millisecond. A power of two. */
const MAPS = 256;
/** Ids of one owner differ in their last letters, but for what counts its triggers. */
const LETTERS = 12;

export class SlotsById {
  /** Made when the first id belongs to it: most indexes are of one trigger and live for a moment. */
  private readonly maps: (Map<string, number> | undefined)[] = [];
  size = 0;

  get(id: string): number | undefined {
    return this.maps[numberOf(id)]?.get(id);
  }

  /** It must not have one. */
  add(id: string, slot: number): void {
    const number = numberOf(id);
    (this.maps[number] ??= new Map<string, number>()).set(id, slot);
    this.size += 1;
  }

  delete(id: string): void {
    if (this.maps[numberOf(id)]?.delete(id) === true) this.size -= 1;
  }

  *slots(): Generator<number> {
    for (const map of this.maps) if (map !== undefined) yield* map.values();
  }
}

function numberOf(id: string): number {
  let hash = 0;
  for (let at = Math.max(0, id.length - LETTERS); at < id.length; at += 1) hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (MAPS - 1);
}
