import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startPaperSimulator } from '../../../src/simulator';
import { hasPython, pythonWith } from '../../support/python-environment';

const SDK = 'hyperliquid-python-sdk==0.24.0';
const SCRIPT = path.resolve(__dirname, '../../python/hyperliquid_sdk.py');
const LIMIT_MS = 300_000;

function sdkRun(python: string, url: string): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(python, [SCRIPT, url], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

const withPython = hasPython() ? test : test.skip;

describe('the official SDK of Hyperliquid, given only a base URL', () => {
  withPython(
    'trades on the simulator as on the venue',
    async () => {
      const python = pythonWith(SDK);
      const simulator = await startPaperSimulator({ venue: 'hyperliquid', seed: 7 });
      try {
        const { code, out, err } = await sdkRun(python, simulator.url);
        expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
        expect(JSON.parse(out)).toEqual({
          coins: ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'xyz:XYZ100', 'xyz:TSLA', 'xyz:GOLD'],
          mid: true,
          byCloid: ['open', true, '0.01'],
          amended: [true, [['48000.0', '0.02']]],
          oldId: 'canceled',
          canceled: ['success'],
          canceledAgain: [{ error: 'Order was never placed, already canceled, or filled. asset=0' }],
          opened: 0.01,
          position: '0.01',
          leverage: 'ok',
          closed: 0.01,
          flat: [],
          fills: ['Close Long', 'Open Long'],
          stop: true,
          transfer: 'ok',
          hip3: [1, 'xyz:TSLA'],
          isolated: ['isolated', 'ok', 25],
          group: [['resting', 'waitingForFill'], [1]],
          subAccount: ['ok', '50.0', true],
          stranger: 'User or API Wallet 0x.. does not exist.',
          switch: 'ok',
          approved: ['ok', true],
          heard: ['activeAssetCtx', 'allMids', 'bbo', 'l2Book', 'orderUpdates', 'trades', 'user', 'userFills', 'userFundings', 'webData2'],
        });
      } finally {
        await simulator.close();
      }
    },
    LIMIT_MS,
  );
});
