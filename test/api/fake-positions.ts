/** Positions by id, shown to whose account they are of. */
import type { ApiPorts } from '../../src/api/ports';
import type { ShownPosition } from '../../src/domain/protection';

type Positions = ReadonlyMap<string, ShownPosition>;

/** `closable`: where more or less is to be closed than is shown. */
export function positionsPort(positions: Positions, closable: Positions, ownerOf: (accountId: string) => string | undefined): ApiPorts['positions'] {
  const own = (id: string, userId: string): ShownPosition | null => {
    const position = positions.get(id);
    return position !== undefined && ownerOf(position.accountId) === userId ? position : null;
  };
  return {
    list: async ({ userId, status, symbol, accountId, limit }) => {
      const wanted = [...positions.values()].filter((position) => ownerOf(position.accountId) === userId && (status === 'all' || (status === 'closed') === (position.side === 'flat')));
      return { nextCursor: null, positions: wanted.filter((position) => (symbol === null || symbol === position.symbol) && (accountId === null || accountId === position.accountId)).slice(0, limit) };
    },
    byId: async (id, userId) => own(id, userId),
    closable: async (id, userId) => closable.get(id) ?? own(id, userId),
  };
}
