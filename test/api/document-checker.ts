/** Judges every answer of the API by the API's own document: an undocumented status or another shape fails the test. */
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>> };
}

export class DocumentChecker {
  private readonly ajv: Ajv2020;
  private readonly templates: { readonly path: string; readonly pattern: RegExp }[];

  constructor(readonly document: OpenApiDocument) {
    // Formats come with patterns; the patterns are what is checked.
    this.ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    this.ajv.addSchema({ $id: 'https://surefill.test/openapi.json', ...document });
    this.templates = Object.keys(document.paths)
      .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`) }))
      // A fixed word wins over a parameter, as it does in the router.
      .sort((a, b) => countParameters(a.path) - countParameters(b.path));
  }

  /** Why the answer does not fit the document; null when it does. */
  complaint(method: string, path: string, status: number, contentType: string, body: unknown): string | null {
    const template = this.templates.find(({ pattern }) => pattern.test(path))?.path;
    const operation = template === undefined ? undefined : this.document.paths[template]?.[method.toLowerCase()];
    if (template === undefined || operation === undefined) return this.explain(this.schema('#/components/schemas/Error'), body);
    const response = operation.responses[String(status)];
    if (response === undefined) return `${method} ${template} answered the undocumented status ${status}: ${JSON.stringify(body)}`;
    if (method === 'HEAD' || contentType.startsWith('text/plain')) return response.content?.['text/plain'] === undefined ? 'text is not documented' : null;
    return this.explain(this.schema(`#/paths/${escaped(template)}/${method.toLowerCase()}/responses/${status}/content/application~1json/schema`), body);
  }

  schema(pointer: string): ValidateFunction {
    const validate = this.ajv.getSchema(`https://surefill.test/openapi.json${pointer}`);
    if (validate === undefined) throw new Error(`the document has no ${pointer}`);
    return validate;
  }

  explain(validate: ValidateFunction, body: unknown): string | null {
    return validate(body) === true ? null : `${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`;
  }
}

function countParameters(path: string): number {
  return path.split('{').length;
}

function escaped(segment: string): string {
  return encodeURIComponent(segment.replace(/~/g, '~0').replace(/\//g, '~1'));
}
