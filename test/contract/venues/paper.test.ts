import { describeVenueContract } from './contract';
import { paperHarness, startPaperSimulator } from './paper-harness';

describeVenueContract('paper', async () => {
  const simulator = await startPaperSimulator();
  const harness = paperHarness(simulator);
  return {
    ...harness,
    close: async () => {
      await harness.close();
      await simulator.stop();
    },
  };
});
