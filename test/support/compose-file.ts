/** docker-compose.yml as Compose reads it: anchors merged, variables filled in. Only what tests ask for is typed. */
import path from 'node:path';
import { parse } from 'yaml';
import { readSource, ROOT } from './source-imports';

export interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly secrets?: readonly string[];
  readonly read_only?: boolean;
  readonly restart?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
}

export const COMPOSE_PATH = path.join(ROOT, 'docker-compose.yml');

const VARIABLE = /\$\{([A-Z_]+)(?:(:[-?])([^}]*))?\}/g;

/** Fills `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as Compose does. Throws with the message where one is required. */
export function fillVariables(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (_whole, name: string, kind: string | undefined, words: string | undefined) => {
    const value = environment[name] ?? '';
    if (value !== '') return value;
    if (kind === ':?') throw new Error(`${name}: ${words ?? ''}`);
    return words ?? '';
  });
}

export function readCompose(environment: Readonly<Record<string, string>>): ComposeFile {
  return parse(fillVariables(readSource('docker-compose.yml'), environment), { merge: true }) as ComposeFile;
}
