import fs from 'node:fs';
import path from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from '@jest/globals';
import { readSource, ROOT } from '../../support/source-imports';
import { NODE_ARGUMENTS } from '../../../src/main/launcher/role-plan';

const text = readSource('Dockerfile');

/** Instructions by stage, `ARG` before the first stage left out. */
function stagesOf(source: string): { keyword: string; words: string }[][] {
  const stages: { keyword: string; words: string }[][] = [];
  for (const instruction of DockerfileParser.parse(source).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') stages.push([]);
    const { start, end } = instruction.getRange();
    const lines = source.split('\n').slice(start.line, end.line + 1).join('\n');
    stages.at(-1)?.push({ keyword, words: lines.slice(keyword.length).trim() });
  }
  return stages;
}

const stages = stagesOf(text);
const last = stages.at(-1) ?? [];
const wordsOf = (keyword: string): string[] => last.filter((instruction) => instruction.keyword === keyword).map(({ words }) => words);
/** What is copied from the build's context, not from another stage. */
const copied = stages.flat().filter(({ keyword, words }) => keyword === 'COPY' && !words.startsWith('--from')).flatMap(({ words }) => words.split(/\s+/).slice(0, -1));

describe('the Dockerfile', () => {
  test('has nothing the linter complains about', () => {
    expect(validate(text, {})).toEqual([]);
    expect(validate(text.replace('WORKDIR /app', 'WORKDIRR /app'), {})).not.toEqual([]);
  });

  test('builds in stages on Debian, whose C library Temporal\'s core needs', () => {
    expect(stages.length).toBeGreaterThanOrEqual(3);
    expect(text).toMatch(/^ARG NODE_IMAGE=node:\d+-bookworm-slim$/m);
    expect(stages.every(([from]) => from?.words.startsWith('${NODE_IMAGE}'))).toBe(true);
  });

  test('ends with production dependencies only, and neither sources nor npm runs in it', () => {
    const dependencies = stages.find(([from]) => from?.words.endsWith('AS production-dependencies'));
    expect(dependencies?.filter(({ keyword }) => keyword === 'RUN').map(({ words }) => words)).toEqual(['npm ci --ignore-scripts --omit=dev']);
    expect(wordsOf('COPY')).toContain('--from=production-dependencies /app/node_modules node_modules');
    expect(wordsOf('COPY').some((words) => /(^|\s)(src|test|\.)(\s|$)/.test(words))).toBe(false);
    expect(wordsOf('RUN').some((words) => words.includes('npm'))).toBe(false);
  });

  test('runs no install script of any package', () => {
    const installs = stages.flat().filter(({ keyword, words }) => keyword === 'RUN' && words.startsWith('npm'));
    expect(installs).toHaveLength(2);
    expect(installs.every(({ words }) => words.includes('--ignore-scripts'))).toBe(true);
  });

  test('runs as a user without rights, and nothing after that changes it', () => {
    expect(wordsOf('USER')).toEqual(['node']);
    const user = last.findIndex(({ keyword }) => keyword === 'USER');
    expect(last.slice(user).some(({ keyword }) => keyword === 'RUN' || keyword === 'COPY')).toBe(false);
  });

  test('runs the program itself, whose role may be given, and is checked at /healthz', () => {
    expect(wordsOf('ENTRYPOINT').map((words) => JSON.parse(words) as unknown)).toEqual([['node', ...NODE_ARGUMENTS, 'dist/main/index.js']]);
    expect(wordsOf('CMD')).toEqual(['["--role", "api"]']);
    expect(fs.existsSync(path.join(ROOT, 'src/main/index.ts'))).toBe(true);
    expect(wordsOf('ENV').join(' ')).toContain('HEALTH_URL=http://127.0.0.1:3000/healthz');
    expect(wordsOf('HEALTHCHECK')).toHaveLength(1);
    expect(wordsOf('HEALTHCHECK')[0]).toContain('process.env.HEALTH_URL');
  });

  test('brings the migrations that a role applies when it starts', () => {
    expect(wordsOf('COPY')).toContain('prisma/migrations prisma/migrations');
    expect(readSource('src/store/database/migrate.ts')).toContain("'../../../prisma/migrations'");
  });

  test('copies only what is there and .dockerignore lets through', () => {
    const allowed = readSource('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(copied.length).toBeGreaterThan(8);
    for (const source of copied) {
      expect({ source, there: fs.existsSync(path.join(ROOT, source)) }).toEqual({ source, there: true });
      expect(allowed.some((each) => source === each || source.startsWith(`${each}/`))).toBe(true);
    }
  });

  test('.dockerignore begins by leaving everything out, so no key and no data can slip in', () => {
    const lines = readSource('.dockerignore').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    expect(lines.some((line) => /^!.*(env|home|\.surefill|data)/.test(line))).toBe(false);
  });
});
