/** A Temporal server that nobody prepared lacks our search attributes; without them no workflow can be started there. */
import { Connection, isGrpcServiceError } from '@temporalio/client';
import searchAttributes from '../../temporal/search-attributes.json';

/** Values of temporal.api.enums.v1.IndexedValueType, by the names that temporal/search-attributes.json uses. */
const VALUE_TYPES: Readonly<Record<string, number>> = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 };

/**
 * Registers the search attributes that the server lacks; the one that `npm start` runs gets them by its flags.
 * @throws Error when one exists with another type: workflows could not be started there.
 */
export async function registerSearchAttributes(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing: Record<string, number> = {};
    for (const { name, type } of searchAttributes) {
      const wanted = VALUE_TYPES[type];
      if (wanted === undefined) throw new Error(`temporal/search-attributes.json gives ${name} the unknown type ${type}`);
      const present = customAttributes?.[name];
      if (present === undefined) missing[name] = wanted;
      else if (Number(present) !== wanted) throw new Error(`search attribute ${name} at ${address} is not of type ${type}: use another namespace`);
    }
    if (Object.keys(missing).length > 0) await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
  } finally {
    await connection.close();
  }
}

/**
 * What a role does as it starts, because nobody else may have done it. A server that lets us neither look nor register (a
 * managed one, say) is no reason to stay down: `onRefused` says what an operator must see to.
 * @throws Error when an attribute exists with another type.
 */
export async function ensureSearchAttributes(address: string, namespace: string, onRefused: (error: Error) => void): Promise<void> {
  try {
    await registerSearchAttributes(address, namespace);
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    onRefused(error);
  }
}
