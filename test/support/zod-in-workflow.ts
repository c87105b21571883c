/** A workflow as it must not be: it runs a schema. The bundle's test shows by it that it would notice. */
import * as fields from '../../src/schemas/fields';

export async function zodInWorkflow(): Promise<number> {
  return Object.keys(fields).length;
}
