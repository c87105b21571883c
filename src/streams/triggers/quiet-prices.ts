/**
 * The prices that change nothing in a market: they reach no level, move no extreme and start no trail. Two doubles beside each other, so that
 * most prices touch one place of the memory however many triggers wait. Rounding never turns an order round: a price whose double is
 * strictly between those of two levels is strictly between the levels; one that is equal to either is judged exactly by whoever asks.
 */

export class QuietPrices {
  /** Above which, and below which. */
  private readonly bounds = new Float64Array([Infinity, -Infinity]);

  has(rounded: number): boolean {
    return rounded > (this.bounds[0] as number) && rounded < (this.bounds[1] as number);
  }

  all(): void {
    this.bounds[0] = -Infinity;
    this.bounds[1] = Infinity;
  }

  none(): void {
    this.bounds[0] = Infinity;
    this.bounds[1] = -Infinity;
  }

  /** Only prices above this. */
  above(rounded: number): void {
    this.bounds[0] = Math.max(this.bounds[0] as number, rounded);
  }

  /** Only prices below this. */
  below(rounded: number): void {
    this.bounds[1] = Math.min(this.bounds[1] as number, rounded);
  }
}
