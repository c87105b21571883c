import { describeVenueContract } from './contract';
import { hyperliquidHarness } from './hyperliquid-harness';
import { startPaperSimulator } from './paper-harness';

describeVenueContract('hyperliquid', async () => {
  const simulator = await startPaperSimulator('hyperliquid', ['--weight-per-minute', '1000000']);
  const harness = await hyperliquidHarness(simulator);
  return {
    ...harness,
    close: async () => {
      await harness.close();
      await simulator.stop();
    },
  };
});
