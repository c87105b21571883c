/** (e) From the venue's side to a Socket.io client, through everything between: a fill to its position event, a tick to its price event. */
import { randomUUID } from 'node:crypto';
import { StreamClient, type ReceivedEvent } from '../test/support/socket-client';
import type { Stack } from '../test/support/stack';
import { quantile } from './measure';
import { account, type Row } from './parts';

/** Enough for a p99 that one sample lies beyond. */
const SAMPLES = 150;
/** Between two ticks: longer than both intervals of conflation, so that one tick does not wait for another's. */
const TICK_GAP_MS = 160;
const QUANTITY = '0.001';
const WAIT_LIMIT_MS = 30_000;

/** When the first matching event from now on came, by this process's clock. */
function arrival(client: StreamClient, matches: (event: ReceivedEvent) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('an event did not come')), WAIT_LIMIT_MS);
    const look = (event: ReceivedEvent): void => {
      if (!matches(event)) return;
      clearTimeout(timer);
      client.socket.off('event', look);
      resolve(performance.now());
    };
    client.socket.on('event', look);
  });
}

async function mark(stack: Stack): Promise<number> {
  const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
  return Number(markets.find(({ symbol }) => symbol === 'BTC-PERP')?.mark);
}

/** From the command that moves the venue's price, so the venue's own work is counted too. */
export async function liveLatency(stack: Stack, repeat: number): Promise<Row[]> {
  const accountId = await account(stack, 'paper');
  const client = await StreamClient.connect(stack.apiUrl, stack.client.key);
  try {
    await client.subscribe({ channel: 'positions', accountId });
    const toPosition: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const limitPrice = String(Math.floor((await mark(stack)) * 0.995));
      const { body } = await stack.client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: sample % 2 === 0 ? 'buy' : 'sell', type: 'limit', quantity: QUANTITY, limitPrice: sample % 2 === 0 ? limitPrice : String(Math.ceil((await mark(stack)) * 1.005)) });
      await stack.client.untilState(body.id, 'WORKING');
      const through = sample % 2 === 0 ? String(Math.floor(Number(limitPrice) * 0.999)) : String(Math.ceil((await mark(stack)) * 1.007));
      const arrived = arrival(client, ({ channel }) => channel === 'positions');
      const startedMs = performance.now();
      await stack.sim.price('BTC-PERP', through);
      toPosition.push((await arrived) - startedMs);
      await stack.client.untilState(body.id, 'FILLED');
    }
    await client.subscribe({ channel: 'prices', venue: 'paper', symbol: 'BTC-PERP' });
    const toPrice: number[] = [];
    const base = await mark(stack);
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      await new Promise((resolve) => setTimeout(resolve, TICK_GAP_MS));
      const price = String(Math.floor(base) + sample + 1);
      const askedAtMs = Date.now();
      // That tick, or a newer one that took its place.
      const arrived = arrival(client, ({ channel, data }) => channel === 'prices' && Number(data['at']) >= askedAtMs);
      const startedMs = performance.now();
      await stack.sim.price('BTC-PERP', price);
      toPrice.push((await arrived) - startedMs);
    }
    const row = (name: string, value: number, samples: readonly number[]): Row => ({ name, value, unit: 'ms', target: '', repeat, samples });
    return [
      row('(e) fill at the venue to position event at a client, p50', quantile(toPosition, 0.5), toPosition),
      row('(e) the same, p99', quantile(toPosition, 0.99), []),
      row('(e) tick at the venue to price event at a client, p50', quantile(toPrice, 0.5), toPrice),
      row('(e) tick to price event, p99', quantile(toPrice, 0.99), []),
    ];
  } finally {
    client.close();
  }
}
