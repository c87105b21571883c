/** Word of changed configuration between the API processes that share a fake backend: told at once. */
import type { ConfigurationNewsPort } from '../../src/api/ports';

type Listener = Parameters<ConfigurationNewsPort['onTold']>[0];

export class FakeConfigurationNews implements ConfigurationNewsPort {
  private readonly listeners = new Set<Listener>();

  tell(accountId: string, userId: string): void {
    for (const listener of this.listeners) listener(accountId, userId);
  }

  onTold(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
